import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteResultBackend, type SqliteResultBackendOptions } from "../../../adapters/entry/node.ts";
import { nodePlatform } from "../../../adapters/entry/node-platform.ts";
import { openDatabase } from "../../../adapters/sqlite/database/open-database.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { TaskStatus, WorkerHeartbeat } from "../../../src/contracts/result-backend.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { describeResultBackendContract } from "../../contract/result-backend/index.ts";
import { expectError } from "../../contract/support.ts";
import { collect } from "../../support/collect.ts";
import { inMemory, onClock, onFiles } from "./open-sqlite.ts";
import { openSqliteResultBackends } from "./open-sqlite-results.ts";

describeResultBackendContract("SqliteResultBackend in memory", openSqliteResultBackends(inMemory));
describeResultBackendContract("SqliteResultBackend on files", openSqliteResultBackends(onFiles));

interface Bench {
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  open(options?: SqliteResultBackendOptions): Promise<SqliteResultBackend>;
}

function aBench(storage: StorageDriver = memoryStorage()): Bench {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  return {
    clock,
    logger,
    async open(options) {
      const backend = await SqliteResultBackend.open("results.db", { ...onClock(clock, storage), logger, ...options });
      onTestFinished(() => backend.close());
      return backend;
    },
  };
}

/** Rows that are stored, expired or not, read from the closed database. */
async function countRows(storage: StorageDriver): Promise<Readonly<Record<string, number>>> {
  const acquired = await storage.acquire("results.db");
  if (acquired.role !== "owner") throw new Error("The database is still open.");
  const sources = { synchronous: "full", now: () => 0, randomBytes: () => undefined } as const;
  const { database } = await openDatabase(nodePlatform, acquired.lease, sources);
  const counts: Record<string, number> = {};
  for (const table of ["task_results", "task_groups", "task_group_results", "worker_heartbeats"]) {
    counts[table] = database.get<{ count: number }>(`select count(*) as count from ${table}`)?.count ?? -1;
  }
  database.close();
  await acquired.lease.release();
  return counts;
}

function aHeartbeat(workerId: string): WorkerHeartbeat {
  const base = { namespace: "stem", timestamp: new Date(0), isolateCount: 1, inflight: 0, version: "1" };
  return { ...base, workerId, queues: [], extras: {} };
}

async function fill(backend: SqliteResultBackend, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => `id-${index}`);
  await backend.initGroup({ id: "large", expected: count });
  await Promise.all(
    ids.flatMap((id) => [
      backend.set(id, "succeeded"),
      backend.setWorkerHeartbeat(aHeartbeat(id)),
      backend.initGroup({ id, expected: 1 }),
      backend.addGroupResult("large", { id, state: "succeeded", attempt: 0, meta: {} }),
    ]),
  );
}

describe("SqliteResultBackend", () => {
  it("tells a watch what was written before it and after it in one turn, each once", async () => {
    const backend = await aBench().open();
    const writes = [backend.set("task", "queued")];
    const watch = backend.watch("task");
    writes.push(backend.set("task", "running"), backend.set("task", "running", { attempt: 1 }));
    const second = backend.watch("task");
    writes.push(backend.set("task", "succeeded"));
    expect(await Promise.all(writes)).toEqual([true, true, true, true]);
    const seen = async (statuses: AsyncIterable<TaskStatus>): Promise<string[]> =>
      (await collect(statuses)).map(({ state, attempt }) => `${state} ${attempt}`);
    expect(await seen(watch)).toEqual(["queued 0", "running 0", "running 1", "succeeded 0"]);
    expect(await seen(second)).toEqual(["running 1", "succeeded 0"]);
  });

  it("keeps topics apart whose names would run into each other", async () => {
    const bench = aBench();
    const [one, other] = [await bench.open({ namespace: "a:b" }), await bench.open({ namespace: "a" })];
    const watch = one.watch("c");
    await other.set("b:c", "succeeded");
    await one.set("c", "failed");
    expect((await watch.next()).value?.state).toBe("failed");
  });

  it("deletes what has expired, of every kind, and leaves the rest", async () => {
    const storage = memoryStorage();
    const bench = aBench(storage);
    const options = { defaultTtl: 500, groupDefaultTtl: 500, heartbeatTtl: 500, cleanupInterval: 0 };
    const backend = await bench.open(options);
    await fill(backend, 20);
    await backend.set("kept", "succeeded", { ttl: 5_000 });
    await backend.initGroup({ id: "kept", expected: 1, ttl: 5_000 });
    await backend.addGroupResult("kept", { id: "kept", state: "succeeded", attempt: 0, meta: {} });
    await bench.clock.advance(500);
    await backend.runCleanup();
    await backend.close();
    const kept = { task_results: 1, task_groups: 1, task_group_results: 1, worker_heartbeats: 0 };
    expect(await countRows(storage)).toEqual(kept);
    expect(bench.logger.records).toEqual([]);
  });

  it("deletes by its timer alone, and never when the interval is 0", async () => {
    for (const [cleanupInterval, left] of [
      [1_000, 0],
      [0, 1],
    ] as const) {
      const storage = memoryStorage();
      const bench = aBench(storage);
      const backend = await bench.open({ cleanupInterval });
      await backend.set("task", "succeeded", { ttl: 10 });
      await bench.clock.advance(1_000);
      await backend.close();
      expect((await countRows(storage))["task_results"]).toBe(left);
      expect(bench.clock.pendingTimers).toBe(0);
    }
  });

  it("refuses every call once it is closed, and closes once", async () => {
    const backend = await aBench().open();
    await Promise.all([backend.close(), backend.close()]);
    await backend.close();
    await expectError(() => backend.runCleanup(), "STEM_CLOSED");
    await expectError(() => backend.set("task", "running"), "STEM_CLOSED");
  });

  it("refuses options of a status that it does not know", async () => {
    const backend = await aBench().open();
    for (const options of [{ pyload: 1 }, { taskId: "other" }, null, [], "text"]) {
      await expectError(() => backend.set("task", "running", options as never), "STEM_INVALID_OPTION");
    }
    expect(await backend.get("task")).toBeNull();
  });

  it("connects by URL", async () => {
    const storage = memoryStorage();
    const bench = aBench(storage);
    const backend = await bench.open();
    await backend.set("task", "running");
    const same = await SqliteResultBackend.connect("sqlite://results.db", onClock(bench.clock, storage));
    expect((await same.get("task"))?.state).toBe("running");
    await same.close();
    await expectError(() => SqliteResultBackend.connect("redis://host"), "STEM_INVALID_OPTION");
  });

  it("refuses options it does not know, before it opens anything", async () => {
    const storage = memoryStorage();
    const options = { ...onClock(new FakeClock(), storage), defaultTTL: 5 };
    await expectError(() => SqliteResultBackend.open("results.db", options), "STEM_INVALID_OPTION");
    expect((await storage.acquire("results.db")).role).toBe("owner");
  });
});
