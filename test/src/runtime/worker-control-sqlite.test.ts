import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteBroker, SqliteRevokeStore } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import type { WorkerOptions } from "../../../src/runtime/worker-options.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { onClock } from "../../adapters/sqlite/open-sqlite.ts";
import { arrival, settleWith, until } from "../../contract/support.ts";
import { aControl, only } from "./control-rig.ts";
import { aGate, START } from "./worker-rig.ts";

/** Workers and a control over one database, which holds the revocations too. */
async function aSqliteRig() {
  const clock = new FakeClock(START);
  const storage = memoryStorage();
  const options = onClock(clock, storage);
  const broker = await SqliteBroker.open("jobs.sqlite", { ...options, pollInterval: 3_600_000, sweeperInterval: 0 });
  const revokeStore = await SqliteRevokeStore.open("jobs.sqlite", options);
  const gate = aGate();
  const ran: string[] = [];
  const task = defineTask("demo.a", async ({ id, signal }) => {
    ran.push(id);
    await gate.passed;
    signal.throwIfAborted();
  });
  const stem = new Stem({ broker, clock });
  const workers: Worker[] = [];
  const aWorker = async (more: Partial<WorkerOptions> = {}): Promise<Worker> => {
    const consumerName = `worker-${workers.length + 1}`;
    const ports = { clock, logger: new RecordingLogger() };
    const worker = new Worker({ broker, revokeStore, tasks: [task], concurrency: 1, consumerName, ...ports, ...more });
    workers.push(worker);
    await worker.start();
    await settle();
    return worker;
  };
  const settle = settleWith(clock, () => broker.pendingCount("default"));
  onTestFinished(async () => {
    gate.open();
    await Promise.all(workers.map((worker) => worker.shutdown({ mode: "hard" })));
    await revokeStore.close();
    await broker.close();
    expect(clock.pendingTimers).toBe(0);
  });
  const control = aControl(broker, clock, new RecordingLogger());
  const answers = <T>(asking: Promise<T>): Promise<T> => arrival(asking, settle, "the answer");
  const enqueue = (taskId: string): Promise<string> => stem.enqueue("demo.a", { enqueueOptions: { taskId } });
  return { broker, clock, revokeStore, gate, ran, aWorker, control, answers, enqueue, settle };
}

describe("Control over SQLite", () => {
  it("reaches all workers, or those that are meant", async () => {
    const { aWorker, control, answers } = await aSqliteRig();
    await aWorker();
    await aWorker();
    const all = await answers(control.ping({ expect: 2 }));
    expect(all.map(({ workerId }) => workerId).sort()).toEqual(["worker-1", "worker-2"]);
    const one = await answers(control.stats({ targets: ["worker-2"] }));
    expect(one).toMatchObject([{ workerId: "worker-2", payload: { concurrency: 1, queues: { default: 0 } } }]);
  });

  it("resolves at the timeout with those that answered", async () => {
    const { aWorker, control, clock, settle } = await aSqliteRig();
    await aWorker();
    const asking = control.ping({ targets: ["worker-1", "worker-9"], timeout: 100 });
    await settle();
    await clock.advance(100);
    expect(await asking).toHaveLength(1);
  });

  it("revokes: what has not begun never runs, and what runs is stopped", async () => {
    const { aWorker, control, answers, enqueue, ran, gate, settle, broker } = await aSqliteRig();
    const worker = await aWorker();
    const revoked: string[] = [];
    worker.on("revoked", ({ envelope }) => revoked.push(envelope.id));
    for (const id of ["running", "waiting"]) await enqueue(id);
    await until(async () => ran.length === 1, settle, "the first task");
    const reply = only(await answers(control.revoke(["running", "waiting", "later"], { expect: 1, terminate: true })));
    expect(reply).toMatchObject({ revoked: ["running", "waiting", "later"], inflight: ["running"], persisted: true });
    await enqueue("later");
    gate.open();
    await until(async () => revoked.length === 3, settle, "the end of all");
    expect(ran).toEqual(["running"]);
    expect(await broker.pendingCount("default")).toBe(0);
  });

  it("pauses a queue durably, also for workers that were not there", async () => {
    const { aWorker, control, answers, enqueue, ran, gate, settle, broker } = await aSqliteRig();
    const first = await aWorker();
    for (const id of ["1", "2"]) await enqueue(id);
    await until(async () => ran.length === 1, settle, "the first task");
    expect(only(await answers(control.pauseQueue("default", { expect: 1 })))).toMatchObject({
      updated: 1,
      persisted: true,
      paused: ["default"],
    });
    expect([await broker.pendingCount("default"), await broker.inflightCount("default")]).toEqual([1, 1]);
    gate.open();
    await arrival(first.shutdown(), settle, "the end of the first worker");
    const second = await aWorker();
    expect(second.pausedQueues).toEqual(["default"]);
    expect(ran).toEqual(["1"]);
    const third = await aWorker();
    await answers(control.resumeQueue("default", { targets: ["worker-3"] }));
    await until(async () => second.pausedQueues.length === 0, settle, "the news");
    await until(async () => ran.length === 2, settle, "the second task");
    expect(third.pausedQueues).toEqual([]);
  });

  it("shuts workers down", async () => {
    const { aWorker, control, answers } = await aSqliteRig();
    const worker = await aWorker();
    expect(only(await answers(control.shutdown({ expect: 1 })))).toEqual({
      status: "initiated",
      mode: "warm",
      active: 0,
    });
    await worker.shutdown();
    await expect(worker.start()).rejects.toMatchObject({ code: "STEM_CLOSED" });
  });
});
