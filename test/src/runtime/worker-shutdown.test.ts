import { describe, expect, it, onTestFinished } from "vitest";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { ClosedError, EngineError } from "../../../src/errors.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import type { StopSignal } from "../../../src/runtime/os-signals.ts";
import { aGate, aWorkerRig, LEASE_MS } from "./worker-rig.ts";

/** Two tasks run behind a gate, two more wait in the worker, two in the queue. `stubborn` handlers heed no signal. */
async function aBusyWorker(options: Parameters<typeof aWorkerRig>[1] = {}, isStubborn = true) {
  const gate = aGate();
  const contexts: TaskContext[] = [];
  const task = defineTask("demo.a", async (context) => {
    contexts.push(context);
    await Promise.race([gate.passed, isStubborn ? new Promise(() => undefined) : aborted(context.signal)]);
    return "done";
  });
  const rig = aWorkerRig([task], { concurrency: 2, prefetch: 4, maxDeliveries: 1, ...options });
  onTestFinished(gate.open);
  await rig.worker.start();
  const ids = await rig.stem.enqueueAll(Array.from({ length: 6 }, () => ({ name: "demo.a" })));
  await rig.settle();
  let isStopped = false;
  const stop = (mode?: "warm" | "soft" | "hard"): Promise<void> => {
    const stopped = rig.worker.shutdown(mode === undefined ? {} : { mode });
    void stopped.then(() => (isStopped = true));
    return stopped;
  };
  const count = async (): Promise<readonly number[]> => [
    await rig.broker.pendingCount("default"),
    await rig.broker.inflightCount("default"),
  ];
  return { ...rig, gate, contexts, ids, stop, isStopped: () => isStopped, count };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

/** How often each message is delivered to whoever comes next. */
async function redeliveries(rig: Awaited<ReturnType<typeof aBusyWorker>>): Promise<readonly (readonly unknown[])[]> {
  const consumer = rig.broker.consume({ queues: ["default"] }, { prefetch: 10 });
  const seen: unknown[][] = [];
  for (let left = await rig.broker.pendingCount("default"); left > 0; left -= 1) {
    const { value } = await consumer.next();
    seen.push([value?.envelope.id, value?.envelope.attempt, value?.deliveries]);
  }
  await consumer.return();
  return seen;
}

describe("A warm shutdown", () => {
  it("gives back what no handler has seen, uncounted, and waits for running tasks", async () => {
    const rig = await aBusyWorker();
    const { gate, stop, isStopped, count, settle, backend, ids, contexts } = rig;
    expect(await count()).toEqual([2, 4]);
    const stopped = stop();
    await settle();
    expect(await count()).toEqual([4, 2]);
    expect(isStopped()).toBe(false);
    expect(contexts.every(({ signal }) => !signal.aborted)).toBe(true);
    gate.open();
    await stopped;

    expect(contexts).toHaveLength(2);
    expect(await backend.get(ids[0] as string)).toMatchObject({ state: "succeeded" });
    expect(await backend.get(ids[2] as string)).toMatchObject({ state: "queued" });
    expect(await redeliveries(rig)).toEqual(ids.slice(2).map((id) => [id, 0, 1]));
  });

  it("gives back a message that arrives while it begins", async () => {
    const { worker, broker, settle, types } = aWorkerRig([defineTask("demo.a", async () => 1)], { maxDeliveries: 1 });
    await worker.start();
    await settle();
    const published = broker.publish(createEnvelope({ name: "demo.a" }));
    const stopped = worker.shutdown();
    await published;
    await stopped;

    expect(types()).toEqual([]);
    expect(await broker.pendingCount("default")).toBe(1);
  });

  it("keeps renewing the leases of running tasks", async () => {
    const { gate, stop, clock, count, types } = await aBusyWorker();
    const stopped = stop();
    await clock.advance(5 * LEASE_MS);
    expect(await count()).toEqual([4, 2]);
    gate.open();
    await stopped;

    expect(types().filter((type) => type === "completed")).toHaveLength(2);
  });

  it("is what disposal and the default mean", async () => {
    const { gate, worker, contexts } = await aBusyWorker();
    gate.open();
    await worker[Symbol.asyncDispose]();

    expect(contexts.every(({ signal }) => !signal.aborted)).toBe(true);
  });

  it("works before any start", async () => {
    const { worker } = aWorkerRig([]);
    await worker.shutdown();

    await expect(worker.start()).rejects.toThrow(ClosedError);
  });

  it("returns the same promise every time", async () => {
    const { worker } = aWorkerRig([]);
    await worker.start();

    expect(worker.shutdown()).toBe(worker.shutdown({ mode: "hard" }));
  });

  it.each(["", "Warm", "force", null, 1])("refuses the mode %j", (mode) => {
    const { worker } = aWorkerRig([]);

    expect(() => worker.shutdown({ mode: mode as never })).toThrow(
      expect.objectContaining({ code: "STEM_INVALID_OPTION" }),
    );
  });
});

describe("A soft shutdown", () => {
  it("fires signals, and gives tasks that stop for it back with their attempt unchanged", async () => {
    const rig = await aBusyWorker({}, false);
    const { stop, contexts, ids, backend, types } = rig;
    await stop("soft");

    expect(contexts.map(({ signal }) => signal.reason)).toEqual([expect.any(ClosedError), expect.any(ClosedError)]);
    expect(() => contexts[0]?.heartbeat()).toThrow(ClosedError);
    expect(new Set((await redeliveries(rig)).map(([id]) => id))).toEqual(new Set(ids));
    expect(await backend.get(ids[0] as string)).toMatchObject({ state: "running" });
    expect(types()).toEqual(["started", "started"]);
  });

  it("stores the results of tasks that end within the grace period", async () => {
    const { stop, gate, clock, types, count } = await aBusyWorker({ lifecycle: { softGracePeriod: 1_000 } });
    const stopped = stop("soft");
    await clock.advance(999);
    gate.open();
    await stopped;

    expect(types()).toEqual(["started", "started", "completed", "completed"]);
    expect(await count()).toEqual([4, 0]);
  });

  it("ends hard after the grace period", async () => {
    const rig = await aBusyWorker({ lifecycle: { softGracePeriod: 1_000 } });
    const { stop, isStopped, clock, count, ids } = rig;
    const stopped = stop("soft");
    await clock.advance(999);
    expect(isStopped()).toBe(false);
    await clock.advance(1);
    await stopped;

    expect(await count()).toEqual([6, 0]);
    expect(new Set(await redeliveries(rig))).toEqual(new Set(ids.map((id) => [id, 0, 1])));
  });
});

describe("A shutdown that has become hard", () => {
  it("gives second tries of storing a result up as well", async () => {
    const { stop, gate, broker, clock, isStopped, settle, types } = await aBusyWorker({
      lifecycle: { softGracePeriod: 120 },
    });
    broker.ack = () => Promise.reject(new EngineError("busy", { retryable: true }));
    gate.open();
    await settle();
    void stop("soft");
    await clock.advance(119);
    expect(isStopped()).toBe(false);
    await clock.advance(1);

    expect(isStopped()).toBe(true);
    expect(types().filter((type) => type === "error")).toHaveLength(4);
  });
});

describe("A hard shutdown", () => {
  it("gives everything back at once, uncounted, and discards what handlers still return", async () => {
    const rig = await aBusyWorker();
    const { stop, gate, contexts, ids, backend, settle, types } = rig;
    await stop("hard");

    expect(contexts.every(({ signal }) => signal.aborted)).toBe(true);
    gate.open();
    await settle();
    expect(await backend.get(ids[0] as string)).toMatchObject({ state: "running" });
    expect(types()).toEqual(["started", "started"]);
    expect((await redeliveries(rig)).map(([, , deliveries]) => deliveries)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("waits for a broker that does not answer no longer than it is told to", async () => {
    const { stop, broker, clock, isStopped } = await aBusyWorker({ lifecycle: { forceShutdownAfter: 2_000 } });
    broker.nack = () => new Promise(() => undefined);
    void stop("hard");
    await clock.advance(1_999);
    expect(isStopped()).toBe(false);
    await clock.advance(1);

    expect(isStopped()).toBe(true);
  });

  it("can follow a milder one that is under way", async () => {
    const { stop, clock, isStopped, count } = await aBusyWorker();
    const warm = stop("warm");
    await clock.advance(100_000);
    expect(isStopped()).toBe(false);
    expect(stop("soft")).toBe(warm);
    await clock.advance(10_000);
    expect(isStopped()).toBe(false);
    void stop("hard");
    await warm;

    expect(await count()).toEqual([6, 0]);
  });

  it("lets no milder one slow it down", async () => {
    const { stop, worker } = await aBusyWorker();
    const hard = stop("hard");

    expect(worker.shutdown({ mode: "warm" })).toBe(hard);
    await hard;
  });
});

describe("After a shutdown", () => {
  it("no event, heartbeat row, timer or listener of the worker is left", async () => {
    const { stop, gate, backend, clock, worker } = await aBusyWorker();
    expect(await backend.listWorkerHeartbeats()).toHaveLength(1);
    const events: string[] = [];
    gate.open();
    await stop();
    worker.on("started", ({ type }) => events.push(type));

    expect(await backend.listWorkerHeartbeats()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    const iterator = worker.events[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe("Signals of the operating system", () => {
  function aSignalSource() {
    const listeners = new Map<StopSignal, (() => void)[]>();
    const of = (signal: StopSignal): (() => void)[] => listeners.get(signal) ?? [];
    return {
      on: (signal: StopSignal, listener: () => void) => listeners.set(signal, [...of(signal), listener]),
      off: (signal: StopSignal, listener: () => void) =>
        listeners.set(
          signal,
          of(signal).filter((each) => each !== listener),
        ),
      send: (signal: StopSignal) => of(signal).forEach((listener) => listener()),
      count: () => [...listeners.values()].flat().length,
    };
  }

  it.each([
    ["SIGTERM", false],
    ["SIGINT", true],
    ["SIGQUIT", true],
  ] as const)("stop the worker: %s", async (signal, firesSignals) => {
    const signals = aSignalSource();
    const { contexts, settle, clock, count } = await aBusyWorker({
      lifecycle: { installSignalHandlers: true, signals, softGracePeriod: 1_000 },
    });
    signals.send(signal);
    await settle();
    expect(contexts.map((context) => context.signal.aborted)).toEqual([firesSignals, firesSignals]);

    // A second signal means now, whatever the first one was.
    signals.send("SIGTERM");
    await clock.advance(0);
    expect(await count()).toEqual([6, 0]);
    expect(signals.count()).toBe(0);
  });

  it("tell when the worker has ended", async () => {
    const signals = aSignalSource();
    const { worker } = aWorkerRig([], { lifecycle: { installSignalHandlers: true, signals } });
    let hasStopped = false;
    const stopped = worker.stopped.then(() => (hasStopped = true));
    await worker.start();
    expect(hasStopped).toBe(false);
    signals.send("SIGTERM");
    await stopped;
    await expect(worker.start()).rejects.toThrow("closed");
  });

  it("are left alone by default", async () => {
    const signals = aSignalSource();
    await aBusyWorker({ lifecycle: { signals } });

    expect(signals.count()).toBe(0);
  });

  it("come from the process by default", async () => {
    const before = process.listenerCount("SIGTERM");
    const { worker } = aWorkerRig([], { lifecycle: { installSignalHandlers: true } });
    await worker.start();
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    await worker.shutdown();

    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
