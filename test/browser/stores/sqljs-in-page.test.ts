import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../../adapters/entry/browser.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { indexedDbStorage } from "../../../adapters/storage/web/indexeddb.ts";
import { createEnvelope } from "../../../src/index.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { sqlJsInBrowser } from "../support/sqljs.ts";

const sqlEngine = sqlJsInBrowser();

describe("sql.js in the page itself", () => {
  it.each([memoryStorage(), indexedDbStorage()])("keeps jobs in storage $name, and gives them out", async (storage) => {
    const file = `${crypto.randomUUID()}/jobs.sqlite`;
    const options = { storage, sqlEngine, logger: silentLogger };
    const first = await SqliteBroker.open(file, options);
    expect(await first.health()).toMatchObject({ engine: { name: "sql.js", place: "inline" }, role: "owner" });
    await first.publish(createEnvelope({ id: "job", name: "greet", args: { who: "world" } }));
    await first.close();
    await using second = await SqliteBroker.open(file, options);
    const { value } = await second.consume({ queues: ["default"] }).next();
    expect([value?.envelope.id, value?.envelope.args]).toEqual(["job", { who: "world" }]);
  });

  it("leaves to the package's own engine what it wrote, and the other way round", async () => {
    const file = `${crypto.randomUUID()}/jobs.sqlite`;
    const ours = { storage: indexedDbStorage(), engine: "inline", logger: silentLogger } as const;
    for (const [at, engine] of [{ sqlEngine }, {}, { sqlEngine }].entries()) {
      await using broker = await SqliteBroker.open(file, { ...ours, ...engine });
      await broker.publish(createEnvelope({ name: "greet", args: {} }));
      expect(await broker.pendingCount("default")).toBe(at + 1);
    }
  });
});
