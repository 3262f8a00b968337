import { describe, expect, it } from "vitest";
import { SqliteBroker, SqliteResultBackend, Stem } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { RecordingLogger } from "../../../src/testing/index.ts";
import { expectError } from "../../contract/support.ts";

async function oneDatabase() {
  const connection = { storage: memoryStorage(), engine: "inline" } as const;
  const broker = await SqliteBroker.open("jobs.sqlite", connection);
  const backend = await SqliteResultBackend.open("jobs.sqlite", connection);
  const logger = new RecordingLogger();
  return { broker, backend, logger, stem: new Stem({ broker, backend, logger }) };
}

describe("enqueueing where broker and backend share a database", () => {
  it("has written the status and stored the message when it resolves", async () => {
    const { broker, backend, stem } = await oneDatabase();
    const id = await stem.enqueue("a");
    const many = await stem.enqueueAll([{ name: "a" }, { name: "b" }]);
    expect(await broker.pendingCount("default")).toBe(3);
    for (const each of [id, ...many]) expect((await backend.get(each))?.state).toBe("queued");
  });

  it("leaves no status of a task that the broker refuses, and no other task's status alone", async () => {
    const { broker, backend, stem } = await oneDatabase();
    await stem.enqueue("a", { enqueueOptions: { taskId: "taken" } });
    await expectError(
      () => stem.enqueue("a", { args: { other: true }, enqueueOptions: { taskId: "taken" } }),
      "STEM_DUPLICATE_ID",
    );
    expect((await backend.get("taken"))?.state).toBe("queued");
    const fresh = { name: "a", enqueueOptions: { taskId: "fresh" } };
    const conflict = { name: "b", enqueueOptions: { taskId: "taken" } };
    await expectError(() => stem.enqueueAll([fresh, conflict]), "STEM_DUPLICATE_ID");
    expect(await backend.get("fresh")).toBeNull();
    expect(await broker.pendingCount("default")).toBe(1);
  });

  it("keeps a task that was published although its status could not be written, and says so", async () => {
    const { broker, backend, logger, stem } = await oneDatabase();
    const set = backend.set.bind(backend);
    backend.set = () => Promise.reject(new Error("no room"));
    const id = await stem.enqueue("a");
    backend.set = set;
    expect(await broker.pendingCount("default")).toBe(1);
    expect(await backend.get(id)).toBeNull();
    expect(logger.records).toMatchObject([{ level: "warn" }]);
  });
});
