import { describe, expect, it } from "vitest";
import type { Delivery } from "../../../src/contracts/broker.ts";
import type { DeliveryOutcome } from "../../../src/contracts/delivery-settler.ts";
import { ClosedError, EngineError, LeaseLostError, OutcomeUnknownError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aGate, aWorkerRig, LEASE_MS, RETRY_MS } from "./worker-rig.ts";

const task = defineTask("demo.a", async (context) => `delivery ${context.deliveries}`);
const failing = defineTask("demo.fail", async (): Promise<void> => {
  throw new Error("boom");
});
const busy = (): EngineError => new EngineError("busy", { retryable: true });

type Rig = ReturnType<typeof aWorkerRig>;
type Method = "ack" | "nack" | "retry" | "deadLetter";

/** Lets the next calls of a broker's method throw these, before any effect or, with `after`, after it. */
function failNext(rig: Rig, method: Method, errors: unknown[], after = false): void {
  const broker = rig.broker as unknown as Record<Method, (...args: unknown[]) => Promise<void>>;
  const original = broker[method].bind(rig.broker);
  broker[method] = async (...args) => {
    const error = errors.shift();
    if (error !== undefined && !after) throw error;
    await original(...args);
    if (error !== undefined) throw error;
  };
}

describe("A worker whose broker fails to settle", () => {
  it("tries again, and does not run the task again", async () => {
    const rig = aWorkerRig([task]);
    failNext(rig, "ack", [busy(), busy(), busy()]);
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.a");
    await rig.clock.advance(50 + 100 + 200);

    expect(await rig.broker.inflightCount("default")).toBe(0);
    expect(await rig.backend.get(id)).toMatchObject({ state: "succeeded", payload: "delivery 1" });
    expect(rig.types()).toEqual(["started", "completed"]);
  });

  it("gives up after a while: the message is delivered again, and the result stands", async () => {
    const rig = aWorkerRig([task], { concurrency: 1, prefetch: 1 });
    failNext(rig, "ack", Array.from({ length: 6 }, busy));
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.a");
    await rig.clock.advance(1_550);
    expect(rig.types()).toEqual(["started", "error"]);
    expect(rig.logger.records).toMatchObject([{ level: "error", facts: { taskId: id, worker: "worker-1" } }]);
    await rig.clock.advance(LEASE_MS);

    expect(await rig.backend.get(id)).toMatchObject({ state: "succeeded", payload: "delivery 1" });
    expect(await rig.broker.inflightCount("default")).toBe(0);
  });

  it("does not try again what cannot pass", async () => {
    const rig = aWorkerRig([task]);
    failNext(rig, "ack", [new TypeError("not one of ours")]);
    await rig.worker.start();
    await rig.stem.enqueue("demo.a");
    await rig.settle();

    expect(rig.types()).toEqual(["started", "error"]);
  });

  it("takes an unknown outcome that had an effect for what it was", async () => {
    const rig = aWorkerRig([failing]);
    failNext(rig, "deadLetter", [new OutcomeUnknownError("deadLetter")], true);
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.fail");
    await rig.clock.advance(50);

    expect(rig.types()).toEqual(["started", "failed"]);
    expect(await rig.broker.getDeadLetter("default", id)).not.toBeNull();
  });

  it("repeats an unknown outcome that had none", async () => {
    const rig = aWorkerRig([failing]);
    failNext(rig, "retry", [new OutcomeUnknownError("retry")]);
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.fail", { options: { maxRetries: 1 } });
    await rig.clock.advance(50 + RETRY_MS);

    expect(rig.types()).toEqual(["started", "retried", "started", "failed"]);
    expect(await rig.backend.get(id)).toMatchObject({ state: "failed", attempt: 1 });
  });

  it("reports what it cannot give back", async () => {
    const rig = aWorkerRig([], { unregisteredTask: "requeue" });
    failNext(rig, "nack", [busy()]);
    await rig.worker.start();
    await rig.stem.enqueue("demo.unknown");
    await rig.clock.advance(1_000);

    expect(rig.types()).toEqual(["error"]);
  });

  it("waits no longer for second tries when it is shut down hard", async () => {
    const rig = aWorkerRig([task]);
    const faults = Array.from({ length: 10 }, busy);
    failNext(rig, "ack", faults);
    await rig.worker.start();
    await rig.stem.enqueue("demo.a");
    await rig.settle();
    await rig.worker.shutdown({ mode: "hard" });

    expect(rig.types()).toEqual(["started", "error"]);
    expect(faults).toHaveLength(8);
  });
});

describe("A worker whose backend fails", () => {
  it("to take running decides nothing by it", async () => {
    const rig = aWorkerRig([task]);
    const set = rig.backend.set.bind(rig.backend);
    rig.backend.set = async (id, state, options) => {
      if (state === "running") throw busy();
      return set(id, state, options);
    };
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.a");

    expect((await rig.stem.waitForTask(id)).value).toBe("delivery 1");
    await rig.settle();
    expect([...rig.types()].sort()).toEqual(["completed", "error", "started"]);
  });

  it("to take running in time does not let it hide that the task is retried", async () => {
    const rig = aWorkerRig([failing]);
    const taken = aGate();
    const set = rig.backend.set.bind(rig.backend);
    rig.backend.set = async (id, state, options) => {
      if (state === "running") await taken.passed;
      return set(id, state, options);
    };
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.fail", { options: { maxRetries: 1 } });
    await rig.settle();
    taken.open();
    await rig.settle();

    expect(await rig.backend.get(id)).toMatchObject({ state: "retried" });
  });

  it("to take the result keeps the message until it does", async () => {
    const rig = aWorkerRig([task]);
    const set = rig.backend.set.bind(rig.backend);
    let failures = 2;
    rig.backend.set = async (id, state, options) => {
      if (state === "succeeded" && failures-- > 0) throw busy();
      return set(id, state, options);
    };
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.a");
    await rig.settle();
    expect(await rig.broker.inflightCount("default")).toBe(1);
    await rig.clock.advance(150);

    expect((await rig.stem.waitForTask(id)).value).toBe("delivery 1");
    expect(await rig.broker.inflightCount("default")).toBe(0);
  });
});

describe("A worker whose broker fails to deliver", () => {
  it("consumes again, after longer and longer pauses", async () => {
    const rig = aWorkerRig([task], { control: false });
    const consume = rig.broker.consume.bind(rig.broker);
    let consumed = 0;
    rig.broker.consume = (subscription, options) => {
      consumed += 1;
      const inner = consume(subscription, options);
      if (consumed > 3) return inner;
      if (consumed === 3) throw busy();
      inner.next = () => Promise.reject(busy());
      return inner;
    };
    await rig.worker.start();
    const id = await rig.stem.enqueue("demo.a");
    await rig.clock.advance(100 + 200);
    expect(consumed).toBe(3);
    await rig.clock.advance(399);
    expect(consumed).toBe(3);
    await rig.clock.advance(1);

    expect((await rig.stem.waitForTask(id)).value).toBe("delivery 1");
    expect(rig.types().filter((type) => type === "error")).toHaveLength(3);
  });

  it("reports a broker that was closed, once", async () => {
    const rig = aWorkerRig([task]);
    await rig.worker.start();
    await rig.broker.close();
    await rig.clock.advance(100_000);

    expect(rig.events).toMatchObject([{ type: "error", error: expect.any(ClosedError) }]);
    await rig.worker.shutdown();
  });
});

describe("A worker with a settler", () => {
  function aSettledRig(fault?: (call: number) => unknown) {
    const calls: [Delivery, DeliveryOutcome][] = [];
    const rig = aWorkerRig([task, failing]);
    const { broker, backend } = rig;
    const settle = async (delivery: Delivery, outcome: DeliveryOutcome): Promise<void> => {
      calls.push([delivery, outcome]);
      const error = fault?.(calls.length);
      if (error !== undefined) throw error;
      const { taskId, state, ...options } = outcome.status;
      if (outcome.end.kind === "ack") await broker.ack(delivery);
      if (outcome.end.kind === "retry") await broker.retry(delivery, outcome.end.next);
      if (outcome.end.kind === "dead-letter") await broker.deadLetter(delivery, outcome.end);
      await backend.set(taskId, state, options);
    };
    broker.settlerFor = () => ({ settle });
    const worker = rig.another();
    for (const type of ["completed", "failed", "retried", "lease-lost", "error"] as const) {
      worker.on(type, (event) => rig.events.push(event));
    }
    return { ...rig, worker, calls };
  }

  it("ends each delivery in one call, with the status, its fence and the group", async () => {
    const { worker, stem, calls, settle, types, backend } = aSettledRig();
    await worker.start();
    await stem.enqueue("demo.a", { headers: { "stem-group-id": "g1" }, enqueueOptions: { taskId: "t1" } });
    await stem.enqueue("demo.fail", { enqueueOptions: { taskId: "t2" } });
    await settle();

    expect(calls).toHaveLength(2);
    const [delivery, outcome] = calls[0] as [Delivery, DeliveryOutcome];
    expect(outcome).toMatchObject({
      end: { kind: "ack" },
      groupId: "g1",
      status: { taskId: "t1", state: "succeeded", payload: "delivery 1", fence: delivery.token },
    });
    expect(calls[1]?.[1]).toMatchObject({
      end: { kind: "dead-letter", reason: "max-retries-exhausted", meta: { error: "Error: boom" } },
      status: { taskId: "t2", state: "failed" },
    });
    expect(types()).toEqual(["completed", "failed"]);
    expect(await backend.get("t2")).toMatchObject({ state: "failed" });
  });

  it("tells a lost lease", async () => {
    const { worker, stem, settle, types } = aSettledRig(() => new LeaseLostError("t1", "default"));
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();

    expect(types()).toEqual(["lease-lost"]);
  });

  it("takes a lost lease after an unknown outcome for that outcome", async () => {
    const { worker, stem, clock, types } = aSettledRig((call) =>
      call === 1 ? new OutcomeUnknownError("settle") : new LeaseLostError("t1", "default"),
    );
    await worker.start();
    await stem.enqueue("demo.a");
    await clock.advance(50);

    expect(types()).toEqual(["completed"]);
  });
});
