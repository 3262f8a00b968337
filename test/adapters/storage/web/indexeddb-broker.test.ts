import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SqliteBroker } from "../../../../adapters/entry/node.ts";
import { OutcomeUnknownError, StorageFullError } from "../../../../src/errors.ts";
import { silentLogger } from "../../../../src/ports/console-logger.ts";
import { anEnvelope } from "../../../support/an-envelope.ts";
import { sqlJs } from "../../sqljs/open-sqljs.ts";
import { FakeBrowser, fillStorage, refusePut, watchPuts } from "./fake-indexeddb.ts";

describe.each([
  { engine: "our own engine", options: { engine: "inline" }, pages: 4 },
  { engine: "sql.js", options: { sqlEngine: sqlJs }, pages: 10 },
] as const)("a broker on IndexedDB, in $engine", ({ options, pages: most }) => {
  let browser: FakeBrowser;
  const open: SqliteBroker[] = [];

  beforeEach(() => {
    browser = new FakeBrowser();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const broker of open.splice(0)) await broker.close().catch(() => undefined);
  });

  /** As another tab would: with a driver, and so with a name, of its own. */
  async function openBroker(name: string): Promise<SqliteBroker> {
    const storage = { ...browser.driver(), name };
    const broker = await SqliteBroker.open("jobs", { ...options, storage, logger: silentLogger });
    open.push(broker);
    return broker;
  }

  it("has what it acknowledged after a crash, and after a clean close", async () => {
    const first = await openBroker("first");
    await Promise.all(Array.from({ length: 50 }, (_, index) => first.publish(anEnvelope({ id: `job-${index}` }))));
    browser.crash();
    const second = await openBroker("second");
    expect(await second.pendingCount("default")).toBe(50);
    await second.close();
    const third = await openBroker("third");
    expect(await third.pendingCount("default")).toBe(50);
  });

  it("stores a few pages for a commit", async () => {
    const broker = await openBroker("first");
    await broker.publish(anEnvelope({ id: "warm" }));
    const put = watchPuts();
    for (let index = 0; index < 20; index++) await broker.publish(anEnvelope({ id: `job-${index}` }));
    const pages = put.mock.calls.filter(([, key]) => Array.isArray(key));
    expect(pages.length).toBeLessThanOrEqual(20 * most);
  });

  it("changes nothing when there is no room, and goes on once there is", async () => {
    const broker = await openBroker("first");
    await broker.publish(anEnvelope({ id: "before" }));
    const empty = fillStorage();
    await expect(broker.publish(anEnvelope({ id: "during" }))).rejects.toThrow(StorageFullError);
    empty();
    await broker.publish(anEnvelope({ id: "after" }));
    expect(await broker.pendingCount("default")).toBe(2);
    browser.crash();
    expect(await (await openBroker("second")).pendingCount("default")).toBe(2);
  });

  it("does not know the outcome when the storing failed otherwise, and goes on", async () => {
    const broker = await openBroker("first");
    await broker.publish(anEnvelope({ id: "before" }));
    refusePut(1);
    await expect(broker.publish(anEnvelope({ id: "during" }))).rejects.toThrow(OutcomeUnknownError);
    await broker.publish(anEnvelope({ id: "after" }));
    expect(await broker.pendingCount("default")).toBe(2);
  });
});
