import { describe, expect, it } from "vitest";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import { aControlRig, only } from "./control-rig.ts";
import { aPauseRig, PAUSES } from "./pause-rig.ts";
import { aGate, START } from "./worker-rig.ts";

describe("A paused queue", () => {
  it("is not worked on, while the others are, until it is resumed", async () => {
    const { worker, enqueue, gate, ran, settle, broker, types } = aPauseRig();
    gate.open();
    await worker.start();
    expect(await worker.pauseQueue("a")).toEqual({ persisted: false });
    expect(worker.pausedQueues).toEqual(["a"]);
    await enqueue("a", "1");
    await enqueue("b", "2");
    await settle();
    expect(ran).toEqual(["b/2"]);
    expect(await broker.pendingCount("a")).toBe(1);

    expect(await worker.resumeQueue("a")).toEqual({ persisted: false });
    await settle();
    expect(ran).toEqual(["b/2", "a/1"]);
    expect(worker.pausedQueues).toEqual([]);
    expect(types().filter((type) => type.startsWith("queue"))).toEqual(["queue-paused", "queue-resumed"]);
  });

  it("may be the only one", async () => {
    const { worker, enqueue, gate, ran, settle } = aPauseRig({ subscription: { queues: ["a"] } });
    gate.open();
    await worker.start();
    await worker.pauseQueue("a");
    await enqueue("a", "1");
    await settle();
    expect(ran).toEqual([]);
    await worker.resumeQueue("a");
    await settle();
    expect(ran).toEqual(["a/1"]);
  });

  it("gets back what has not begun, uncounted; what runs ends", async () => {
    const { worker, enqueue, gate, ran, settle, broker, backend } = aPauseRig({ maxDeliveries: 1 });
    await worker.start();
    for (const [queue, id] of [
      ["a", "1"],
      ["a", "2"],
      ["b", "3"],
      ["a", "4"],
    ] as const)
      await enqueue(queue, id);
    await settle();
    expect([await broker.inflightCount("a"), await broker.inflightCount("b")]).toEqual([3, 1]);
    await worker.pauseQueue("a");

    // By now, and not at some time.
    expect([await broker.pendingCount("a"), await broker.inflightCount("a")]).toEqual([2, 1]);
    expect(await broker.inflightCount("b")).toBe(1);
    gate.open();
    await settle();
    expect(ran).toEqual(["a/1", "b/3"]);
    expect(await backend.get("1")).toMatchObject({ state: "succeeded" });
    await worker.resumeQueue("a");
    await settle();
    expect(ran).toEqual(["a/1", "b/3", "a/2", "a/4"]);
    expect((await broker.listDeadLetters("a")).entries).toEqual([]);
  });

  it("gets back a task whose revocation is still being asked for", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const [asked, answered] = [aGate(), aGate()];
    const get = revokeStore.get.bind(revokeStore);
    revokeStore.get = async (...key) => {
      asked.open();
      await answered.passed;
      return get(...key);
    };
    const { worker, enqueue, ran, settle, broker } = aPauseRig({ revokeStore });
    await worker.start();
    await enqueue("a", "1");
    await asked.passed;
    await worker.pauseQueue("a");
    answered.open();
    await settle();
    expect(ran).toEqual([]);
    expect(await broker.pendingCount("a")).toBe(1);
  });

  it("gets back what was on its way to the worker", async () => {
    const { worker, enqueue, ran, settle, broker } = aPauseRig({ maxDeliveries: 1 });
    const consume = broker.consume.bind(broker);
    const [taken, handed] = [aGate(), aGate()];
    broker.consume = (subscription, options) => {
      const inner = consume(subscription, options);
      if (subscription.queues === undefined) return inner;
      broker.consume = consume;
      const next = inner.next.bind(inner);
      const slowly = async (): ReturnType<typeof next> => {
        const result = await next();
        taken.open();
        await handed.passed;
        return result;
      };
      return Object.assign(inner, { next: slowly });
    };
    await worker.start();
    await enqueue("a", "1");
    await taken.passed;
    await worker.pauseQueue("a");
    handed.open();
    await settle();
    expect(ran).toEqual([]);
    expect(await broker.pendingCount("a")).toBe(1);
    expect(await broker.getDeadLetter("a", "1")).toBeNull();
  });

  it("takes no broadcast from anybody", async () => {
    const news: number[] = [];
    const rig = aControlRig([], { subscription: { queues: ["a"], broadcastChannels: ["news"] } });
    rig.worker.on("broadcast-gap", ({ missed }) => news.push(missed));
    const channels: unknown[] = [];
    const consume = rig.broker.consume.bind(rig.broker);
    rig.broker.consume = (subscription, options) => {
      if (options?.consumerName === "worker-1") channels.push(subscription);
      return consume(subscription, options);
    };
    await rig.worker.start();
    await rig.worker.pauseQueue("a");
    await rig.worker.resumeQueue("a");
    await rig.settle();
    // The channels' consumer is never begun anew.
    expect(channels).toEqual([{ queues: ["a"] }, { broadcastChannels: ["news"] }, { queues: ["a"] }]);
    expect(news).toEqual([]);
  });

  it("does not keep runUntilIdle waiting", async () => {
    const { worker, enqueue, gate, ran } = aPauseRig();
    gate.open();
    await worker.pauseQueue("a");
    await enqueue("a", "1");
    await enqueue("b", "2");
    expect(await worker.runUntilIdle()).toEqual({ completed: 1, failed: 0, retried: 0 });
    expect(ran).toEqual(["b/2"]);
  });

  it("may be paused and resumed twice without effect", async () => {
    const { worker, types, settle, enqueue, ran, gate } = aPauseRig();
    gate.open();
    await worker.start();
    for (const queue of ["a", "a", "b"]) await worker.pauseQueue(queue, { reason: "repair", requestedBy: "ops" });
    await worker.resumeQueue("b");
    await worker.resumeQueue("b");
    await enqueue("b", "1");
    await settle();
    expect(ran).toEqual(["b/1"]);
    expect(types().slice(0, 3)).toEqual(["queue-paused", "queue-paused", "queue-resumed"]);
  });

  it.each([
    ["", {}],
    ["a b", {}],
    [null, {}],
    ["a", null],
    ["a", { why: "" }],
    ["a", { reason: 3 }],
    ["a", { requestedBy: null }],
  ])("is refused as %j with %j", async (queue, options) => {
    const { worker } = aPauseRig();
    const refusal = { code: expect.stringMatching(/^STEM_INVALID_(OPTION|NAME)$/) };
    await expect((async () => worker.pauseQueue(queue as never, options as never))()).rejects.toMatchObject(refusal);
    await expect((async () => worker.resumeQueue(queue as never, options as never))()).rejects.toMatchObject(refusal);
    expect(worker.pausedQueues).toEqual([]);
  });

  it("cannot be had of a worker that is shut down", async () => {
    const { worker } = aPauseRig();
    await worker.shutdown();
    await expect(worker.pauseQueue("a")).rejects.toMatchObject({ code: "STEM_CLOSED" });
  });
});

describe("A pause by control", () => {
  it("is answered with what it changed", async () => {
    const { worker, control, enqueue, settle, ran, gate, events } = aPauseRig();
    gate.open();
    await worker.start();
    const paused = only(await control.pauseQueue(["a", "b"], { expect: 1, reason: "repair", requestedBy: "ops" }));
    expect(paused).toEqual({
      namespace: "stem",
      queues: ["a", "b"],
      updated: 2,
      persisted: false,
      paused: ["a", "b"],
    });
    expect(events).toMatchObject([
      { type: "queue-paused", queue: "a", reason: "repair", requestedBy: "ops" },
      { type: "queue-paused", queue: "b" },
    ]);
    const pausedAt = new Date(START).toISOString();
    expect(only(await control.queueStatus({ expect: 1 }))).toEqual({
      namespace: "stem",
      paused: ["a", "b"].map((queue) => ({ queue, pausedAt, reason: "repair", requestedBy: "ops" })),
      subscriptions: ["a", "b"],
    });
    expect(only(await control.stats({ expect: 1 })).pausedQueues).toEqual(["a", "b"]);
    await enqueue("a", "1");
    await settle();
    expect(ran).toEqual([]);
    expect(only(await control.resumeQueue("a", { expect: 1 }))).toMatchObject({ updated: 1, paused: ["b"] });
    await settle();
    expect(ran).toEqual(["a/1"]);
  });

  it("holds in the workers it is meant for, without a store", async () => {
    const { worker, another, control, settle } = aPauseRig();
    const second = another();
    await Promise.all([worker.start(), second.start()]);
    await control.pauseQueue("a", { targets: ["worker-2"] });
    await settle();
    expect([worker.pausedQueues, second.pausedQueues]).toEqual([[], ["a"]]);
  });

  it("is stored once, and followed by workers it was not meant for", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, another, control, settle } = aPauseRig({ revokeStore });
    const third = another();
    await Promise.all([worker.start(), another().start(), third.start()]);
    const replies = await control.pauseQueue("a", { targets: ["worker-1", "worker-2"] });
    await settle();
    expect(replies.map((reply) => reply.status === "ok" && reply.payload.persisted)).toEqual([true, true]);
    expect(third.pausedQueues).toEqual(["a"]);
    const [entry] = await revokeStore.list(PAUSES);
    const resumed = await control.resumeQueue("a", { targets: ["worker-3"] });
    await settle();
    expect(only(resumed).paused).toEqual([]);
    expect(worker.pausedQueues).toEqual([]);
    expect((await revokeStore.list(PAUSES))[0]?.version).toBeGreaterThan(entry?.version ?? Number.NaN);
  });
});
