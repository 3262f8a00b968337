import { describe, expect, it } from "vitest";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { WorkerEvents } from "../../../src/runtime/worker-events.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { aGate, aWorkerRig, START } from "./worker-rig.ts";

const envelope = createEnvelope({ name: "demo.a" });

function someEvents() {
  const logger = new RecordingLogger();
  return { logger, events: new WorkerEvents(new FakeClock(START), logger) };
}

describe("Worker events", () => {
  it("reach listeners of their type until these are taken off", () => {
    const { events } = someEvents();
    const seen: string[] = [];
    const off = events.on("started", ({ type, at }) => seen.push(`${type} ${at.toISOString()}`));
    events.emit({ type: "started", envelope });
    events.emit({ type: "completed", envelope });
    off();
    off();
    events.emit({ type: "started", envelope });

    expect(seen).toEqual(["started 2026-01-01T00:00:00.000Z"]);
  });

  it("come to every iteration in order, also while nobody waits", async () => {
    const { events } = someEvents();
    const [one, other] = [events[Symbol.asyncIterator](), events[Symbol.asyncIterator]()];
    const first = one.next();
    events.emit({ type: "started", envelope });
    events.emit({ type: "completed", envelope });
    events.close();

    expect((await first).value).toMatchObject({ type: "started", at: new Date(START) });
    expect((await one.next()).value).toMatchObject({ type: "completed" });
    expect((await one.next()).done).toBe(true);
    const types: string[] = [];
    for await (const { type } of other) types.push(type);
    expect(types).toEqual(["started", "completed"]);
  });

  it("that an iteration does not take in time are dropped, oldest first, and counted", async () => {
    const { events } = someEvents();
    const iterator = events[Symbol.asyncIterator]();
    for (let n = 0; n < 1_005; n += 1) events.emit({ type: "progress", envelope, fraction: n / 2_000 });

    expect((await iterator.next()).value).toMatchObject({ type: "dropped", count: 5 });
    expect((await iterator.next()).value).toMatchObject({ type: "progress", fraction: 5 / 2_000 });
    await iterator.return?.();
    expect((await iterator.next()).done).toBe(true);
  });

  it("end for an iteration that is left, whose waiting next is answered", async () => {
    const { events } = someEvents();
    const iterator = events[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await iterator.return?.();

    expect((await waiting).done).toBe(true);
  });

  it("survive listeners that throw, now or later", async () => {
    const { events, logger } = someEvents();
    const seen: string[] = [];
    events.on("started", () => {
      throw new Error("now");
    });
    events.on("started", async () => {
      throw new Error("later");
    });
    events.on("started", ({ type }) => seen.push(type));
    events.emit({ type: "started", envelope });
    await Promise.resolve();

    expect(seen).toEqual(["started"]);
    expect(logger.records.map(({ level, facts }) => [level, facts?.["error"]])).toEqual([
      ["error", new Error("now")],
      ["error", new Error("later")],
    ]);
  });

  it("of a worker whose listener throws do not change what becomes of a task", async () => {
    const task = defineTask("demo.a", async (context) => {
      context.progress(1);
      return 1;
    });
    const { worker, stem } = aWorkerRig([task]);
    for (const type of ["started", "progress", "completed"] as const) {
      worker.on(type, () => {
        throw new Error(type);
      });
    }
    await worker.start();

    expect((await stem.waitForTask(await stem.enqueue("demo.a"))).value).toBe(1);
  });

  it("can be iterated over from before the start to the end of the worker", async () => {
    const task = defineTask("demo.a", async () => 1);
    const { worker, stem, settle } = aWorkerRig([task]);
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of worker.events) types.push(type);
    })();
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    await worker.shutdown();
    await reading;

    expect(types).toEqual(["started", "completed"]);
  });
});

describe("A worker's heartbeats", () => {
  it("tell that running tasks are alive", async () => {
    const gate = aGate();
    const task = defineTask("demo.a", () => gate.passed);
    const { worker, stem, clock, types } = aWorkerRig([task], { heartbeatInterval: 100, concurrency: 1 });
    await worker.start();
    await stem.enqueueAll([{ name: "demo.a" }, { name: "demo.a" }]);
    await clock.advance(350);

    expect(types()).toEqual(["started", "heartbeat", "heartbeat", "heartbeat"]);
    gate.open();
  });

  it("are rows in the backend, the first at the start", async () => {
    const gate = aGate();
    const task = defineTask("demo.a", () => gate.passed);
    const { worker, stem, backend, clock, settle } = aWorkerRig([task], {
      subscription: { queues: ["a", "b"], broadcastChannels: ["news"] },
      heartbeatNamespace: "team",
      workerHeartbeatInterval: 5_000,
    });
    await worker.start();
    await settle();
    expect(await backend.getWorkerHeartbeat("worker-1")).toMatchObject({ inflight: 0, extras: { started: 0 } });
    await stem.enqueue("demo.a", { enqueueOptions: { queue: "b" } });
    await clock.advance(15_000);

    expect(await backend.getWorkerHeartbeat("worker-1")).toEqual({
      workerId: "worker-1",
      namespace: "team",
      timestamp: new Date(START + 15_000),
      isolateCount: 2,
      inflight: 1,
      queues: [
        { name: "a", inflight: 0 },
        { name: "b", inflight: 1 },
      ],
      lastLeaseRenewal: new Date(START + 10_000),
      version: "1",
      extras: {
        concurrency: 2,
        prefetch: 4,
        startedAt: new Date(START).toISOString(),
        uptimeMs: 15_000,
        started: 1,
        completed: 0,
        failed: 0,
        subscriptions: ["a", "b", "news"],
      },
    });
    gate.open();
  });

  it("that cannot be written are reported, and go on", async () => {
    const { worker, backend, clock, types } = aWorkerRig([], { workerHeartbeatInterval: 1_000 });
    const write = backend.setWorkerHeartbeat.bind(backend);
    backend.setWorkerHeartbeat = () => Promise.reject(new Error("disk"));
    await worker.start();
    await clock.advance(1_000);
    expect(types()).toEqual(["error", "error"]);
    backend.setWorkerHeartbeat = write;
    await clock.advance(1_000);

    expect(await backend.listWorkerHeartbeats()).toHaveLength(1);
    backend.removeWorkerHeartbeat = () => Promise.reject(new Error("disk"));
    await worker.shutdown();
    expect(types()).toEqual(["error", "error", "error"]);
  });
});
