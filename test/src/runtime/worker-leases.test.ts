import { describe, expect, it, onTestFinished } from "vitest";
import type { InMemoryBroker } from "../../../adapters/memory/index.ts";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { ClosedError, EngineError, LeaseLostError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import type { FakeClock } from "../../../src/testing/fake-clock.ts";
import { aGate, aWorkerRig, LEASE_MS } from "./worker-rig.ts";

/** A task that waits for its gate and keeps its context. */
function aGatedTask() {
  const gate = aGate();
  const contexts: TaskContext[] = [];
  const task = defineTask("demo.a", async (context) => {
    contexts.push(context);
    await gate.passed;
    return `attempt ${context.attempt}, delivery ${context.deliveries}`;
  });
  return { gate, contexts, task };
}

/** Counts the renewals that reach the broker, and lets a test refuse them. */
function watchRenewals(broker: InMemoryBroker) {
  const renewals: { id: string; by: number; at: number }[] = [];
  const state: { failure: unknown } = { failure: undefined };
  const extendLease = broker.extendLease.bind(broker);
  let clock = (): number => 0;
  broker.extendLease = async (delivery, by) => {
    renewals.push({ id: delivery.envelope.id, by, at: clock() });
    if (state.failure !== undefined) throw state.failure;
    return extendLease(delivery, by);
  };
  return { renewals, state, useClock: (monotonic: () => number) => void (clock = monotonic) };
}

/** The next consumer, the worker's, takes `count` deliveries and then no more: what lapses goes to somebody else. */
function limitConsumer(broker: InMemoryBroker, count: number): void {
  const consume = broker.consume.bind(broker);
  broker.consume = (subscription, options) => {
    broker.consume = consume;
    const inner = consume(subscription, options);
    const ended = aGate();
    let left = count;
    return {
      next: async () => {
        left -= 1;
        if (left >= 0) return inner.next();
        await ended.passed;
        return { done: true, value: undefined };
      },
      return: () => {
        ended.open();
        return inner.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };
}

/** Claims what lapses within the length of a lease. */
async function claimElsewhere(broker: InMemoryBroker, clock: FakeClock, count = 1): Promise<void> {
  const consumer = broker.consume({ queues: ["default"] }, { prefetch: count });
  onTestFinished(async () => void (await consumer.return()));
  const claims = Array.from({ length: count }, () => consumer.next());
  await clock.advance(LEASE_MS);
  await Promise.all(claims);
}

describe("A worker's leases", () => {
  it("are renewed each third, to their full length", async () => {
    const { gate, task } = aGatedTask();
    const { worker, stem, broker, clock, settle } = aWorkerRig([task]);
    const { renewals, useClock } = watchRenewals(broker);
    useClock(() => clock.monotonic());
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await clock.advance(10 * LEASE_MS);

    expect(renewals).toHaveLength(30);
    expect(renewals[0]).toEqual({ id, by: LEASE_MS, at: LEASE_MS / 3 });
    expect(renewals[29]).toEqual({ id, by: LEASE_MS, at: 10 * LEASE_MS });
    gate.open();
    await settle();
    expect((await stem.waitForTask(id)).value).toBe("attempt 0, delivery 1");
  });

  it("of the message's own length are renewed to that", async () => {
    const { gate, task } = aGatedTask();
    const { worker, stem, broker, clock, settle } = aWorkerRig([task]);
    const { renewals } = watchRenewals(broker);
    await worker.start();
    const id = await stem.enqueue("demo.a", { options: { visibilityTimeout: 900 } });
    await clock.advance(3_000);

    expect(renewals).toHaveLength(10);
    expect(renewals.every(({ by }) => by === 900)).toBe(true);
    gate.open();
    await settle();
    expect((await stem.waitForTask(id)).status).toMatchObject({ state: "succeeded", attempt: 0 });
  });

  it("are renewed while the message still waits for a slot", async () => {
    const { gate, task, contexts } = aGatedTask();
    const { worker, stem, clock, settle } = aWorkerRig([task], { concurrency: 1, prefetch: 3 });
    await worker.start();
    const ids = await stem.enqueueAll([1, 2, 3].map(() => ({ name: "demo.a" })));
    await clock.advance(5 * LEASE_MS);
    gate.open();
    await settle();

    expect(contexts.map(({ id, deliveries }) => [id, deliveries])).toEqual(ids.map((id) => [id, 1]));
  });

  it("are renewed again soon after a renewal failed", async () => {
    const { gate, task } = aGatedTask();
    const { worker, stem, broker, clock, settle, types } = aWorkerRig([task]);
    const { renewals, state } = watchRenewals(broker);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    state.failure = new EngineError("busy");
    await clock.advance(LEASE_MS / 3 + LEASE_MS / 6);
    state.failure = undefined;
    await clock.advance(5 * LEASE_MS);

    expect(renewals.length).toBeGreaterThan(15);
    expect(types().filter((type) => type === "error")).toHaveLength(3);
    gate.open();
    await settle();
    expect((await stem.waitForTask(id)).value).toBe("attempt 0, delivery 1");
  });

  it("of settled tasks are not renewed, and leave no timer", async () => {
    const { gate, task } = aGatedTask();
    gate.open();
    const { worker, stem, broker, clock } = aWorkerRig([task], { heartbeatInterval: 10 * LEASE_MS });
    const { renewals } = watchRenewals(broker);
    await worker.start();
    await stem.enqueueAll([1, 2, 3, 4].map(() => ({ name: "demo.a" })));
    await clock.advance(LEASE_MS);

    expect(renewals).toEqual([]);
    // The two heartbeats of the worker are all that waits.
    expect(clock.pendingTimers).toBe(2);
  });

  it("can be prolonged by the handler, and are not shortened by renewals", async () => {
    const { gate, task, contexts } = aGatedTask();
    const { worker, stem, broker, clock, settle } = aWorkerRig([task]);
    const { state } = watchRenewals(broker);
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    await contexts[0]?.extendLease(20 * LEASE_MS);
    await clock.advance(LEASE_MS);
    state.failure = new EngineError("busy");
    await clock.advance(15 * LEASE_MS);

    expect(await broker.inflightCount("default")).toBe(1);
    await expect(contexts[0]?.extendLease(0)).rejects.toMatchObject({ code: "STEM_INVALID_OPTION" });
    await expect(contexts[0]?.extendLease("1" as never)).rejects.toMatchObject({ code: "STEM_INVALID_OPTION" });
    gate.open();
  });
});

describe("A lost lease", () => {
  it("fires the signal, has checkpoints throw, stores no result and is told once", async () => {
    const { gate, task, contexts } = aGatedTask();
    const { worker, stem, broker, backend, clock, settle, types } = aWorkerRig([task]);
    const { state } = watchRenewals(broker);
    limitConsumer(broker, 1);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    state.failure = new EngineError("busy");
    await claimElsewhere(broker, clock);
    state.failure = undefined;
    await clock.advance(LEASE_MS);
    const [context] = contexts;

    expect(context?.signal.aborted).toBe(true);
    expect(context?.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(() => context?.heartbeat()).toThrow(LeaseLostError);
    expect(() => context?.progress(0.5)).toThrow(LeaseLostError);
    await expect(context?.extendLease(1_000)).rejects.toThrow(LeaseLostError);
    gate.open();
    await settle();
    expect(await backend.get(id)).toMatchObject({ state: "running" });
    expect(types().filter((type) => type === "lease-lost")).toHaveLength(1);
    expect(types()).not.toContain("completed");
  });

  it("is noticed by the handler's own prolongation", async () => {
    const { gate, task, contexts } = aGatedTask();
    const { worker, stem, broker, clock, settle, types } = aWorkerRig([task]);
    const { state } = watchRenewals(broker);
    limitConsumer(broker, 1);
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    state.failure = new EngineError("busy");
    await claimElsewhere(broker, clock);
    state.failure = undefined;

    await expect(contexts[0]?.extendLease(1_000)).rejects.toThrow(LeaseLostError);
    expect(contexts[0]?.signal.aborted).toBe(true);
    gate.open();
    await settle();
    expect(types().filter((type) => type === "lease-lost")).toHaveLength(1);
  });

  it("is noticed when the result is stored, which then changes nothing", async () => {
    const { gate, task } = aGatedTask();
    const { worker, stem, broker, clock, settle, types, another } = aWorkerRig([task], { concurrency: 1, prefetch: 1 });
    const { state } = watchRenewals(broker);
    limitConsumer(broker, 1);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    state.failure = new EngineError("busy");
    await clock.advance(LEASE_MS - 1);
    const second = another();
    await second.start();
    await clock.advance(1);
    gate.open();
    await settle();

    // Both ran; exactly one of them was accepted.
    const { status } = await stem.waitForTask(id);
    expect(status).toMatchObject({ state: "succeeded", payload: "attempt 0, delivery 2" });
    expect(status.meta["worker"]).toBe("worker-2");
    expect(types()).toContain("lease-lost");
    expect(types()).not.toContain("completed");
    expect(await broker.inflightCount("default")).toBe(0);
  });

  it("keeps a message that still waits from being run", async () => {
    const { gate, task, contexts } = aGatedTask();
    const { worker, stem, broker, clock, settle, types } = aWorkerRig([task], { concurrency: 1, prefetch: 2 });
    const { state } = watchRenewals(broker);
    limitConsumer(broker, 2);
    await worker.start();
    const [first] = await stem.enqueueAll([{ name: "demo.a" }, { name: "demo.a" }]);
    await settle();
    state.failure = new EngineError("busy");
    await claimElsewhere(broker, clock, 2);
    state.failure = undefined;
    await clock.advance(LEASE_MS / 6);
    gate.open();
    await settle();

    expect(contexts.map(({ id }) => id)).toEqual([first]);
    expect(types().filter((type) => type === "lease-lost")).toHaveLength(2);
  });
});

describe("A context whose run is over", () => {
  it("has checkpoints throw and its signal silent", async () => {
    const { gate, task, contexts } = aGatedTask();
    gate.open();
    const { worker, stem, settle } = aWorkerRig([task]);
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();

    expect(() => contexts[0]?.heartbeat()).toThrow(ClosedError);
    await expect(contexts[0]?.extendLease(1_000)).rejects.toThrow(ClosedError);
    expect(contexts[0]?.signal.aborted).toBe(false);
  });
});
