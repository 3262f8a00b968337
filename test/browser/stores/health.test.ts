import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../../adapters/entry/browser.ts";
import { requestPersistence } from "../../../adapters/entry/browser-tools.ts";
import { browserStorage } from "../../../adapters/storage/web/browser.ts";
import { showWorkerTests } from "../support/worker-tests.ts";

await showWorkerTests("health", new Worker(new URL("./health-worker.ts", import.meta.url), { type: "module" }));

describe("health in a page", () => {
  it("says IndexedDB of a page that owns its database, and what the origin takes", async () => {
    const file = `${crypto.randomUUID()}/jobs.sqlite`;
    await using broker = await SqliteBroker.open(file, { storage: browserStorage(), engine: "inline" });
    const health = await broker.health();
    expect(health).toMatchObject({ storage: { name: "indexeddb", persistent: true }, role: "owner" });
    expect(health.origin?.usage).toBeGreaterThan(0);
    expect(health.origin?.quota).toBeGreaterThan(health.origin?.usage ?? Infinity);
  });

  it("knows whether the browser keeps the origin's storage, and can ask it to", async () => {
    const isKept = await requestPersistence();
    await using broker = await SqliteBroker.open(":memory:");
    expect((await broker.health()).origin?.persisted).toBe(isKept);
  });
});
