import { describe, expect, it } from "vitest";
import { initGroup, putGroupResult } from "../../../../adapters/sqlite/operations/groups.ts";
import { setHeartbeat } from "../../../../adapters/sqlite/operations/heartbeats.ts";
import type { Operation } from "../../../../adapters/sqlite/operations/operation.ts";
import {
  setStatus,
  type StoredStatusWrite,
  sweepResults,
  unwatch,
  watchStatus,
} from "../../../../adapters/sqlite/operations/results.ts";
import { type OperationBench, openOperationBench } from "../operation-bench.ts";

const LIMIT = 500;
const namespace = "stem";

function aWrite(id: string, change: Partial<StoredStatusWrite> = {}): StoredStatusWrite {
  const values = { attempt: 0, fence: null, payload: null, error: null, meta: "{}", queue: null, ttl: 100 };
  return { id, state: "running", ...values, ...change };
}

/** One transaction that does `work`. */
function fromWork(work: (scope: Parameters<Operation<null, void>["run"]>[0]) => void): Operation<null, void> {
  return { kind: "steps", run: (scope) => work(scope) };
}

function countsOf(bench: OperationBench): unknown[] {
  return ["task_results", "worker_heartbeats", "task_groups", "task_group_results"].map(
    (table) => bench.database.get<{ count: number }>(`select count(*) as count from ${table}`)?.count,
  );
}

describe("sweepResults", () => {
  it("deletes at most 500 rows of each table at a time, and says whether to come again", async () => {
    const bench = await openOperationBench();
    bench.run(initGroup, { namespace, groupId: "large", expected: 1, meta: "{}", ttl: 1 });
    const fill = fromWork((scope) => {
      for (let index = 0; index < 2 * LIMIT + 100; index += 1) {
        putGroupResult(scope, { namespace, groupId: "large" }, { taskId: `task-${index}`, status: "{}" });
      }
      for (let index = 0; index < LIMIT + 1; index += 1) {
        const id = `id-${index}`;
        setStatus.run(scope, { namespace, write: aWrite(id, { ttl: 2 }) });
        setHeartbeat.run(scope, { namespace, workerId: id, heartbeat: "{}", ttl: 2 });
        initGroup.run(scope, { namespace, groupId: id, expected: 1, meta: "{}", ttl: 2 });
      }
    });
    bench.run(fill, null);
    bench.now += 2;
    const rounds: unknown[] = [];
    for (let isMore = true; isMore; rounds.push([isMore, ...countsOf(bench)])) isMore = bench.run(sweepResults, {});
    expect(rounds).toEqual([
      [true, 1, 1, LIMIT + 2, LIMIT + 100],
      [true, 0, 0, LIMIT + 2, 100],
      [true, 0, 0, 2, 0],
      [false, 0, 0, 0, 0],
    ]);
  });

  it.each(["status", "heartbeat", "group"])("comes again for one more %s than fits", async (kind) => {
    const bench = await openOperationBench();
    const fill = fromWork((scope) => {
      for (let index = 0; index < LIMIT + 1; index += 1) {
        const id = `id-${index}`;
        if (kind === "status") setStatus.run(scope, { namespace, write: aWrite(id) });
        else if (kind === "heartbeat") setHeartbeat.run(scope, { namespace, workerId: id, heartbeat: "{}", ttl: 1 });
        else initGroup.run(scope, { namespace, groupId: id, expected: 1, meta: "{}", ttl: 1 });
      }
    });
    bench.run(fill, null);
    bench.now += 100;
    expect([bench.run(sweepResults, {}), bench.run(sweepResults, {})]).toEqual([true, false]);
    expect(countsOf(bench)).toEqual([0, 0, 0, 0]);
  });

  it("leaves what has not expired", async () => {
    const bench = await openOperationBench();
    bench.run(setStatus, { namespace, write: aWrite("task") });
    bench.now += 99;
    expect(bench.run(sweepResults, {})).toBe(false);
    expect(countsOf(bench)).toEqual([1, 0, 0, 0]);
  });
});

describe("watchStatus", () => {
  const args = { namespace, id: "task", subscription: 7 };

  it("begins once the transaction is committed, and not when it fails", async () => {
    const bench = await openOperationBench();
    const watchesInside: number[] = [];
    const inside = (fault?: Error): Operation<null, void> =>
      fromWork((scope) => {
        watchStatus.run(scope, args);
        watchesInside.push(bench.watches.size);
        if (fault !== undefined) throw fault;
      });
    expect(() => bench.run(inside(new Error("no room")), null)).toThrow("no room");
    expect(bench.watches.size).toBe(0);
    bench.run(inside(), null);
    expect([watchesInside, bench.watches.size]).toEqual([[0, 0], 1]);
  });

  it("is ended at once, also when the transaction that ends it fails", async () => {
    const bench = await openOperationBench();
    bench.run(watchStatus, args);
    const failing = fromWork((scope) => {
      unwatch.run(scope, { subscription: 7 });
      throw new Error("no room");
    });
    expect(() => bench.run(failing, null)).toThrow("no room");
    expect(bench.watches.size).toBe(0);
  });

  it("is told on the topic that writes signal", async () => {
    const bench = await openOperationBench();
    bench.run(watchStatus, args);
    bench.run(setStatus, { namespace, write: aWrite("task") });
    expect(bench.signals.map(({ topic }) => topic)).toEqual([...bench.watches.values()]);
  });
});
