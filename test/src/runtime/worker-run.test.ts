import { describe, expect, it } from "vitest";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { ClosedError } from "../../../src/errors.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { TaskRegistry } from "../../../src/runtime/task-registry.ts";
import { aGate, aWorkerRig, START } from "./worker-rig.ts";

describe("A worker", () => {
  it("runs a task and stores its result", async () => {
    const hello = defineTask("demo.hello", async (_context, args: { name: string }) => `Hello ${args.name}`);
    const { worker, stem, broker, types } = aWorkerRig([hello]);
    await worker.start();
    const id = await hello.enqueue(stem, { name: "world" }, { meta: { tenant: "t1" } });
    const result = await stem.waitForTask<string>(id);

    expect(result.requiredValue()).toBe("Hello world");
    expect(result.status).toMatchObject({
      state: "succeeded",
      attempt: 0,
      meta: {
        tenant: "t1",
        task: "demo.hello",
        queue: "default",
        worker: "worker-1",
        maxRetries: 0,
        startedAt: new Date(START).toISOString(),
        completedAt: new Date(START).toISOString(),
      },
    });
    expect(await broker.inflightCount("default")).toBe(0);
    await worker.shutdown();
    expect(types()).toEqual(["started", "completed"]);
  });

  it("lets a message's own meta hide nothing about the run", async () => {
    const task = defineTask("demo.a", async () => 1);
    const { worker, stem, backend } = aWorkerRig([task]);
    const mine = {
      task: "mine",
      queue: "mine",
      worker: "mine",
      maxRetries: "mine",
      startedAt: "mine",
      completedAt: "mine",
    };
    const id = await stem.enqueue("demo.a", { meta: { ...mine, other: "mine" } });
    expect((await backend.get(id))?.meta).toMatchObject({ task: "demo.a", queue: "default", maxRetries: 0 });
    await worker.start();
    const { status } = await stem.waitForTask(id);

    expect(Object.entries(status.meta).filter(([, value]) => value === "mine")).toEqual([["other", "mine"]]);
  });

  it("shows the handler its message", async () => {
    let seen: TaskContext | undefined;
    const task = defineTask("demo.a", async (context) => {
      seen = context;
    });
    const { worker, stem, settle } = aWorkerRig([task], { queue: "mail" });
    await worker.start();
    await stem.enqueue("demo.a", {
      args: { n: 1 },
      headers: { tenant: "t1" },
      meta: { a: 1 },
      enqueueOptions: { queue: "mail", taskId: "t1" },
    });
    await settle();

    expect(seen).toMatchObject({
      id: "t1",
      name: "demo.a",
      queue: "mail",
      attempt: 0,
      deliveries: 1,
      args: { n: 1 },
      headers: { tenant: "t1" },
      meta: { a: 1 },
    });
    expect(seen?.signal.aborted).toBe(false);
  });

  it("writes running before the handler has ended", async () => {
    const gate = aGate();
    const task = defineTask("demo.a", () => gate.passed);
    const { worker, stem, backend, settle } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();

    expect(await backend.get(id)).toMatchObject({
      state: "running",
      meta: { worker: "worker-1", startedAt: new Date(START).toISOString() },
    });
    gate.open();
    await settle();
    expect(await backend.get(id)).toMatchObject({ state: "succeeded", payload: null });
  });

  it("never runs more handlers at once than its concurrency", async () => {
    let running = 0;
    let most = 0;
    const gates = Array.from({ length: 12 }, () => aGate());
    const task = defineTask("demo.a", async (_context, args: { n: number }) => {
      running += 1;
      most = Math.max(most, running);
      await gates[args.n]?.passed;
      running -= 1;
    });
    const { worker, stem, broker, settle } = aWorkerRig([task], { concurrency: 3, prefetch: 5 });
    await worker.start();
    await stem.enqueueAll(gates.map((_gate, n) => ({ name: "demo.a", args: { n } })));
    await settle();
    expect(await broker.inflightCount("default")).toBe(5);
    for (const gate of gates) {
      expect(running).toBe(Math.min(3, gates.length - gates.indexOf(gate)));
      gate.open();
      await settle();
    }

    expect(most).toBe(3);
    expect(running).toBe(0);
    expect(await broker.pendingCount("default")).toBe(0);
  });

  it("frees the slot when the handler has ended, while its result is still being stored", async () => {
    const stored = aGate();
    const started: number[] = [];
    const task = defineTask("demo.a", async (_context, args: { n: number }) => void started.push(args.n));
    const { worker, stem, backend, broker, settle } = aWorkerRig([task], { concurrency: 1, prefetch: 3 });
    const set = backend.set.bind(backend);
    backend.set = async (id, state, options) => {
      if (state === "succeeded") await stored.passed;
      return set(id, state, options);
    };
    await worker.start();
    await stem.enqueueAll([0, 1, 2, 3, 4].map((n) => ({ name: "demo.a", args: { n } })));
    await settle();

    // Three unsettled messages are what prefetch allows; the fourth is not even claimed.
    expect(started).toEqual([0, 1, 2]);
    expect(await broker.inflightCount("default")).toBe(3);
    const stopped = worker.shutdown();
    let isStopped = false;
    void stopped.then(() => (isStopped = true));
    await settle();
    expect(isStopped).toBe(false);
    stored.open();
    await stopped;
    expect(await broker.inflightCount("default")).toBe(0);
    expect(await broker.pendingCount("default")).toBe(2);
  });

  it("takes higher priorities first, and equal ones in order", async () => {
    const order: number[] = [];
    const task = defineTask("demo.a", async (_context, args: { n: number }) => void order.push(args.n));
    const { worker, stem, settle } = aWorkerRig([task], { concurrency: 1, prefetch: 1 });
    await stem.enqueueAll([
      { name: "demo.a", args: { n: 1 } },
      { name: "demo.a", args: { n: 2 } },
      { name: "demo.a", args: { n: 3 }, enqueueOptions: { priority: 9 } },
    ]);
    await worker.start();
    await settle();

    expect(order).toEqual([3, 1, 2]);
  });

  it("works on several queues", async () => {
    const order: string[] = [];
    const task = defineTask("demo.a", async (context) => void order.push(context.queue));
    const { worker, stem, settle } = aWorkerRig([task], { subscription: { queues: ["a", "b"] } });
    await worker.start();
    for (const queue of ["a", "b", "c"]) await stem.enqueue("demo.a", { enqueueOptions: { queue } });
    await settle();

    expect(order).toEqual(["a", "b"]);
  });

  it("runs broadcasts in every worker, and never retries them", async () => {
    const order: number[] = [];
    const task = defineTask("demo.a", async () => {
      order.push(1);
      throw new Error("boom");
    });
    const { worker, another, broker, settle, types } = aWorkerRig([task], {
      subscription: { broadcastChannels: ["news"] },
    });
    const second = another({ subscription: { broadcastChannels: ["news"] } });
    await worker.start();
    await second.start();
    await broker.publish(createEnvelope({ name: "demo.a", maxRetries: 3 }), { routing: broadcastRoute("news") });
    await settle();

    expect(order).toEqual([1, 1]);
    expect(types()).toEqual(["started", "failed"]);
  });

  it("stores null for a task whose result is to be ignored", async () => {
    const task = defineTask("demo.a", async () => "secret");
    const { worker, stem } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a", { enqueueOptions: { ignoreResult: true } });

    expect((await stem.waitForTask(id)).value).toBeNull();
  });

  it("works without a backend", async () => {
    const task = defineTask("demo.a", async () => 1);
    const { worker, stem, broker, settle, types } = aWorkerRig([task], { backend: undefined as never });
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();

    expect(types()).toEqual(["started", "completed"]);
    expect(await broker.inflightCount("default")).toBe(0);
  });

  it("cancels a task whose time had passed before it began", async () => {
    const task = defineTask("demo.a", async () => expect.unreachable("It must not run."));
    const { worker, stem, broker, clock, types } = aWorkerRig([task]);
    const early = await stem.enqueue("demo.a", { enqueueOptions: { expires: 1_000 } });
    await clock.advance(1_000);
    await worker.start();
    const { status } = await stem.waitForTask(early);

    expect(status).toMatchObject({
      state: "cancelled",
      error: { type: "TaskExpired" },
      meta: { "stem.expired": true, expiredAt: new Date(START + 1_000).toISOString() },
    });
    expect(await broker.pendingCount("default")).toBe(0);
    expect(types()).toEqual(["expired"]);
  });

  it("runs a task whose time has not passed yet", async () => {
    const task = defineTask("demo.a", async () => 1);
    const { worker, stem, clock } = aWorkerRig([task]);
    const id = await stem.enqueue("demo.a", { enqueueOptions: { expires: 1_000 } });
    await clock.advance(999);
    await worker.start();

    expect((await stem.waitForTask(id)).value).toBe(1);
  });

  it("fails a task that no handler is registered for, so that nobody waits for it", async () => {
    const { worker, stem, broker, settle, types } = aWorkerRig([]);
    const id = await stem.enqueue("demo.unknown");
    await worker.start();
    const { status } = await stem.waitForTask(id);

    expect(status).toMatchObject({ state: "failed", error: { type: "UnknownTask", retryable: false } });
    await settle();
    expect(await broker.getDeadLetter("default", id)).toMatchObject({ reason: "unregistered-task" });
    expect(types()).toEqual(["failed"]);
  });

  it("gives an unknown task back after a second, uncounted, when told to", async () => {
    const registry = new TaskRegistry();
    const { worker, stem, broker, clock, backend, settle } = aWorkerRig([], {
      registry,
      unregisteredTask: "requeue",
      maxDeliveries: 2,
    });
    const id = await stem.enqueue("demo.late");
    await worker.start();
    await clock.advance(5_500);
    expect(await broker.inflightCount("default")).toBe(1);
    expect(await backend.get(id)).toMatchObject({ state: "queued" });

    registry.register(defineTask("demo.late", async (context) => context.deliveries));
    await clock.advance(1_000);
    await settle();
    expect(await backend.get(id)).toMatchObject({ state: "succeeded", payload: 1 });
  });

  it("starts once, and never again after a shutdown", async () => {
    const { worker } = aWorkerRig([]);
    await worker.start();
    await worker.start();
    await worker.shutdown();

    await expect(worker.start()).rejects.toThrow(ClosedError);
  });

  it("rejects the start, and is shut down, when the broker is closed", async () => {
    const { worker, broker } = aWorkerRig([]);
    await broker.close();

    await expect(worker.start()).rejects.toThrow(ClosedError);
    await expect(worker.start()).rejects.toThrow(ClosedError);
  });
});
