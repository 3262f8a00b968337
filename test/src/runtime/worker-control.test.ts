import { describe, expect, it } from "vitest";
import { InMemoryBroker } from "../../../adapters/memory/index.ts";
import type { ConsumeOptions } from "../../../src/contracts/broker.ts";
import { controlChannel, workerChannel } from "../../../src/core/control-message.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { EngineError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { WorkerControl } from "../../../src/runtime/worker-control.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { track } from "../../contract/support.ts";
import { aControl, aControlRig, only, sendRaw } from "./control-rig.ts";
import { aGate, START } from "./worker-rig.ts";

const NOW = new Date(START).toISOString();

function aBusyRig(options: Parameters<typeof aControlRig>[1] = {}) {
  const gate = aGate();
  const task = defineTask("demo.a", async () => gate.passed);
  return { ...aControlRig([task], options), gate };
}

describe("A worker that is asked over its broker", () => {
  it("tells that it is there", async () => {
    const { worker, control } = aControlRig([], { subscription: { queues: ["a", "b"], broadcastChannels: ["news"] } });
    await worker.start();
    const replies = await control.ping({ expect: 1 });
    expect(replies).toEqual([
      {
        requestId: "request-1",
        workerId: "worker-1",
        status: "ok",
        payload: { timestamp: NOW, queue: "a", inflight: 0, subscriptions: ["a", "b", "news"] },
      },
    ]);
  });

  it("tells its settings and counts", async () => {
    const { worker, control, stem, clock, gate, settle } = aBusyRig({ prefetch: 3 });
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await clock.advance(10_000);
    const stats = only(await control.stats({ expect: 1 }));
    expect(stats).toEqual({
      timestamp: new Date(START + 10_000).toISOString(),
      namespace: "stem",
      queue: "default",
      pid: process.pid,
      concurrency: 2,
      maxConcurrency: 2,
      autoscaleEnabled: false,
      prefetch: 3,
      inflight: 1,
      queues: { default: 1 },
      pausedQueues: [],
      active: [
        { id, task: "demo.a", queue: "default", attempt: 0, status: "running", startedAt: NOW, runtimeMs: 10_000 },
      ],
      subscriptions: ["default"],
      startedAt: NOW,
      started: 1,
      completed: 0,
      failed: 0,
      retried: 0,
      lastLeaseRenewalMsAgo: 0,
    });
    gate.open();
    await settle();
    expect(only(await control.stats({ expect: 1 }))).toMatchObject({ inflight: 0, completed: 1, active: [] });
  });

  it("tells what runs", async () => {
    const { worker, control, stem, settle, gate } = aBusyRig();
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    expect(only(await control.inspect({ expect: 1 }))).toEqual({
      timestamp: NOW,
      inflight: 1,
      active: [{ id, task: "demo.a", queue: "default", attempt: 0, status: "running", startedAt: NOW, runtimeMs: 0 }],
      pausedQueues: [],
      revoked: [],
      lastLeaseRenewalMsAgo: null,
    });
    gate.open();
  });

  it("answers beside the other workers", async () => {
    const { worker, another, control } = aControlRig();
    await Promise.all([worker.start(), another().start(), another().start()]);
    const replies = await control.ping({ expect: 3 });
    expect(replies.map(({ workerId }) => workerId).sort()).toEqual(["worker-1", "worker-2", "worker-3"]);
  });

  it.each([[["worker-2"]], [["worker-3", "worker-1", "worker-3"]]])("answers when it is meant: %j", async (targets) => {
    const rig = aControlRig();
    await Promise.all([rig.worker.start(), rig.another().start(), rig.another().start()]);
    const meant = [...new Set(targets)].sort();
    const replies = await rig.control.ping({ targets });
    expect(replies.map(({ workerId }) => workerId).sort()).toEqual(meant);
    // The workers see to it themselves, whoever sends.
    const answers = await sendRaw(rig, { requestId: "raw-1", type: "ping", targets });
    expect(answers.map(({ workerId }) => workerId).sort()).toEqual(meant);
  });

  it("hears nothing of another namespace", async () => {
    const { worker, control, clock } = aControlRig([], { heartbeatNamespace: "elsewhere" });
    await worker.start();
    const asking = control.ping();
    await clock.advance(5_000);
    expect(await asking).toEqual([]);
  });

  it("hears nothing with control: false", async () => {
    const { worker, control, clock } = aControlRig([], { control: false });
    await worker.start();
    const asking = control.ping({ timeout: 10 });
    await clock.advance(10);
    expect(await asking).toEqual([]);
  });

  it("hears nothing any more once it is shut down", async () => {
    const { worker, control, clock } = aControlRig();
    await worker.start();
    await worker.shutdown();
    const asking = control.ping();
    await clock.advance(5_000);
    expect(await asking).toEqual([]);
  });

  it("works without control on a broker that has no broadcasts", async () => {
    const task = defineTask("demo.a", async () => "done");
    const rig = aControlRig([task]);
    const broker = withoutBroadcasts(rig.broker);
    const worker = rig.another({ broker });
    await worker.start();
    const id = await rig.stem.enqueue("demo.a");
    await rig.settle();
    expect((await rig.stem.waitForTask(id)).value).toBe("done");
    const asking = rig.control.ping();
    await rig.clock.advance(5_000);
    expect(await asking).toEqual([]);
  });

  it("listens again after its control consumer failed", async () => {
    const { worker, control, broker, clock, types } = aControlRig();
    const consume = broker.consume.bind(broker);
    broker.consume = (subscription, options) => {
      const inner = consume(subscription, options);
      if (options?.consumerName !== "worker-1-control") return inner;
      broker.consume = consume;
      return Object.assign(inner, { next: () => Promise.reject(new EngineError("busy")) });
    };
    await worker.start();
    await clock.advance(100);
    expect(await control.ping({ expect: 1 })).toHaveLength(1);
    expect(types()).toEqual(["error"]);
  });

  it("tells of broadcasts and commands that it missed", async () => {
    const rig = aControlRig([], { subscription: { broadcastChannels: ["news"] } });
    const onGaps: (ConsumeOptions["onGap"] | undefined)[] = [];
    const consume = rig.broker.consume.bind(rig.broker);
    rig.broker.consume = (subscription, options) => {
      onGaps.push(options?.onGap);
      return consume(subscription, options);
    };
    await rig.worker.start();
    for (const onGap of onGaps) onGap?.({ channel: "any", missed: 3 });
    expect(rig.events).toMatchObject([
      { type: "broadcast-gap", channel: "any", missed: 3 },
      { type: "broadcast-gap", channel: "any", missed: 3 },
    ]);
  });

  it("refuses, when it is made, a name that makes its channel's name too long", () => {
    const make = (): Worker => aControlRig([], { consumerName: "w".repeat(190) }).worker;
    expect(make).toThrow(expect.objectContaining({ code: "STEM_INVALID_NAME" }));
  });
});

describe("A command that is not as it has to be", () => {
  it.each([
    ["an unknown type", { requestId: "raw-1", type: "dance" }, "unknown"],
    ["no type", { requestId: "raw-1" }, /type/],
    ["a type that is no text", { requestId: "raw-1", type: 3 }, /type/],
    ["targets that are no list", { requestId: "raw-1", type: "ping", targets: "*" }, /targets/],
    ["a payload that is no object", { requestId: "raw-1", type: "ping", payload: [] }, /payload/],
    ["a timeout that is no number", { requestId: "raw-1", type: "ping", timeoutMs: "1" }, /timeoutMs/],
    ["nothing to revoke", { requestId: "raw-1", type: "revoke" }, /revocations/],
    ["revocations that are none", { requestId: "raw-1", type: "revoke", payload: { revocations: [1] } }, /revocations/],
    ["a task id that is none", { requestId: "raw-1", type: "revoke", payload: { revocations: [{}] } }, /task id/],
    ["no queue", { requestId: "raw-1", type: "queue_pause" }, /queues/],
    ["a bad queue", { requestId: "raw-1", type: "queue_resume", payload: { queue: "a b" } }, /queue/],
    ["a bad version", { requestId: "raw-1", type: "queue_pause", payload: { queue: "a", version: -1 } }, /version/],
    ["a bad date", { requestId: "raw-1", type: "queue_pause", payload: { queue: "a", issuedAt: "x" } }, /issuedAt/],
    ["a bad mode", { requestId: "raw-1", type: "shutdown", payload: { mode: "now" } }, /mode/],
    ["a bad flag", { requestId: "raw-1", type: "inspect", payload: { includeRevoked: 1 } }, /includeRevoked/],
  ])("is answered with an error: %s", async (_what, args, error) => {
    const rig = aControlRig();
    await rig.worker.start();
    expect(await sendRaw(rig, args as never)).toEqual([
      {
        requestId: "raw-1",
        workerId: "worker-1",
        status: "error",
        payload: {},
        error: typeof error === "string" ? error : expect.stringMatching(error),
      },
    ]);
    expect(await rig.control.ping({ expect: 1 })).toHaveLength(1);
    expect(rig.types()).toEqual([]);
  });

  it.each([
    ["no request id", { type: "ping" }, {}],
    ["a request id that is no name", { requestId: "a b", type: "ping" }, {}],
    ["another name", {}, { name: "demo.a" }],
    ["no header", {}, { headers: {} }],
  ])("is reported where it cannot be answered: %s", async (_what, args, changes) => {
    const rig = aControlRig();
    await rig.worker.start();
    expect(await sendRaw(rig, args as never, changes)).toEqual([]);
    expect(rig.events).toMatchObject([{ type: "error", error: { code: "STEM_MALFORMED_ENVELOPE" } }]);
    expect(await rig.control.ping({ expect: 1 })).toHaveLength(1);
  });

  it("is reported when its request id makes the answer's channel too long", async () => {
    const rig = aControlRig();
    await rig.worker.start();
    expect(await sendRaw(rig, { requestId: "r".repeat(195), type: "ping" })).toEqual([]);
    expect(rig.events).toMatchObject([{ type: "error", error: { code: "STEM_INVALID_NAME" } }]);
  });
});

describe("A shutdown that is asked for", () => {
  it("is answered before it begins, and ends the worker", async () => {
    const { worker, control, stem, settle, gate } = aBusyRig();
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    const reply = only(await control.shutdown({ expect: 1 }));
    expect(reply).toEqual({ status: "initiated", mode: "warm", active: 1 });
    await settle();
    expect(only(await control.shutdown({ expect: 1, mode: "warm" }))).toMatchObject({ status: "in-progress" });
    const ended = worker.shutdown();
    expect(track(ended).isPending).toBe(true);
    gate.open();
    await ended;
  });

  it.each([
    ["force", "hard"],
    ["hard", "hard"],
    ["soft", "soft"],
    ["graceful", "warm"],
  ])("knows the mode %s", async (mode, meant) => {
    const rig = aControlRig();
    await rig.worker.start();
    const [answer] = await sendRaw(rig, { requestId: "raw-1", type: "shutdown", payload: { mode } });
    expect(answer).toMatchObject({ status: "ok", payload: { mode: meant, status: "initiated", active: 0 } });
    await rig.worker.shutdown();
  });

  it("gives running tasks back when it is hard", async () => {
    const { worker, control, stem, settle, broker, gate } = aBusyRig();
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    await control.shutdown({ mode: "hard", targets: ["worker-1"] });
    await settle();
    expect(await broker.pendingCount("default")).toBe(1);
    gate.open();
  });

  it("begins also when the answer cannot be sent", async () => {
    const { worker, control, broker, clock, types } = aControlRig();
    await worker.start();
    const publish = broker.publish.bind(broker);
    broker.publish = async (envelope, options) => {
      if (envelope.name === "__stem.control.reply__") throw new EngineError("busy");
      return publish(envelope, options);
    };
    const asking = control.shutdown({ timeout: 10 });
    await clock.advance(10);
    expect(await asking).toEqual([]);
    await worker.shutdown();
    expect(types()).toEqual(["error"]);
    await expect(worker.start()).rejects.toMatchObject({ code: "STEM_CLOSED" });
  });

  it("begins also when the answer never gets away", async () => {
    const { worker, control, broker, clock } = aControlRig();
    await worker.start();
    const publish = broker.publish.bind(broker);
    const gate = aGate();
    broker.publish = async (envelope, options) => {
      if (envelope.name === "__stem.control.reply__") await gate.passed;
      return publish(envelope, options);
    };
    const asking = control.shutdown({ timeout: 10 });
    await clock.advance(1_000);
    expect(await asking).toEqual([]);
    await expect(worker.start()).rejects.toMatchObject({ code: "STEM_CLOSED" });
    gate.open();
    await worker.shutdown();
  });
});

describe("WorkerControl", () => {
  it("resolves at the timeout with those that answered", async () => {
    const { worker, control, clock, settle } = aControlRig();
    await worker.start();
    const asking = control.ping({ targets: ["worker-1", "worker-9"], timeout: 200 });
    const tracked = track(asking);
    await clock.advance(199);
    expect(tracked.isPending).toBe(true);
    await clock.advance(1);
    await settle();
    expect((await asking).map(({ workerId }) => workerId)).toEqual(["worker-1"]);
  });

  it("resolves to nothing when nobody is there", async () => {
    const { control, clock } = aControlRig();
    const asking = control.stats();
    const tracked = track(asking);
    await clock.advance(4_999);
    expect(tracked.isPending).toBe(true);
    await clock.advance(1);
    expect(await asking).toEqual([]);
  });

  it("asks several things at once, and leaves nothing behind", async () => {
    const { worker, control, clock } = aControlRig();
    await worker.start();
    const timers = clock.pendingTimers;
    const [pings, stats] = await Promise.all([control.ping({ expect: 1 }), control.stats({ expect: 1 })]);
    expect(only(pings).inflight).toBe(0);
    expect(only(stats).concurrency).toBe(2);
    expect(clock.pendingTimers).toBe(timers);
  });

  it("leaves malformed and repeated answers aside", async () => {
    const { broker, clock, logger } = aControlRig();
    const control = aControl(broker, clock, logger);
    const asking = control.ping({ timeout: 10 });
    const routing = broadcastRoute("stem.control.reply.request-1");
    const headers = { "stem-control": "1" };
    const answer = { requestId: "request-1", workerId: "w", status: "ok", payload: {} };
    for (const args of [{}, { ...answer, status: "fine" }, { ...answer, workerId: "" }, answer, answer]) {
      await broker.publish(anEnvelope({ name: "__stem.control.reply__", headers, args }), { routing });
    }
    await broker.publish(anEnvelope({ name: "demo.a", args: answer }), { routing });
    await clock.advance(10);
    expect(await asking).toEqual([answer]);
    expect(logger.records.filter(({ level }) => level === "warn")).toHaveLength(4);
  });

  it("rejects with what keeps it from sending", async () => {
    const { control, broker, clock } = aControlRig();
    broker.publish = () => Promise.reject(new EngineError("busy"));
    await expect(control.ping()).rejects.toMatchObject({ code: "STEM_ENGINE" });
    expect(clock.pendingTimers).toBe(0);
  });

  it("rejects with what keeps it from listening", async () => {
    const { control, broker, clock } = aControlRig();
    const consume = broker.consume.bind(broker);
    broker.consume = (subscription, options) =>
      Object.assign(consume(subscription, options), { next: () => Promise.reject(new EngineError("gone")) });
    await expect(control.ping()).rejects.toMatchObject({ code: "STEM_ENGINE" });
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends its requests when it is closed, and takes no more", async () => {
    const { control, clock } = aControlRig();
    const asking = control.ping();
    const refused = expect(asking).rejects.toMatchObject({ code: "STEM_CLOSED" });
    await control.close();
    await refused;
    await expect(control.ping()).rejects.toMatchObject({ code: "STEM_CLOSED" });
    expect(clock.pendingTimers).toBe(0);
    await control[Symbol.asyncDispose]();
  });

  it.each([
    [{ targets: [] }],
    [{ targets: "worker-1" }],
    [{ targets: ["a b"] }],
    [{ targets: null }],
    [{ timeout: -1 }],
    [{ timeout: "1" }],
    [{ timeout: null }],
    [{ expect: 0 }],
    [{ expect: 2, targets: ["a"] }],
    [{ wait: 3 }],
    [null],
  ])("refuses %j before anything is sent", async (options) => {
    const { control, broker } = aControlRig();
    broker.publish = () => Promise.reject(new Error("something was sent"));
    for (const ask of [
      () => control.ping(options as never),
      () => control.stats(options as never),
      () => control.inspect(options as never),
      () => control.queueStatus(options as never),
      () => control.shutdown(options as never),
      () => control.revoke("a", options as never),
      () => control.pauseQueue("a", options as never),
      () => control.resumeQueue("a", options as never),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^STEM_INVALID_(OPTION|NAME)$/) });
    }
  });

  it.each<[string, (control: WorkerControl) => Promise<unknown>]>([
    ["a mode", (control) => control.shutdown({ mode: "now" as never })],
    ["no task", (control) => control.revoke([])],
    ["a task id", (control) => control.revoke("a b")],
    ["a task", (control) => control.revoke([null as never])],
    ["a task's field", (control) => control.revoke({ taskId: "a", when: 3 } as never)],
    ["a version", (control) => control.revoke({ taskId: "a", version: 0.5 })],
    ["an end", (control) => control.revoke({ taskId: "a", expiresAt: "soon" as never })],
    ["terminate", (control) => control.revoke("a", { terminate: null as never })],
    ["terminate of a task", (control) => control.revoke({ taskId: "a", terminate: 1 as never })],
    ["a reason", (control) => control.revoke("a", { reason: 3 as never })],
    ["no queue", (control) => control.pauseQueue([])],
    ["a queue", (control) => control.resumeQueue("a b")],
    ["an author", (control) => control.pauseQueue("a", { requestedBy: 3 as never })],
    ["a flag", (control) => control.inspect({ includeRevoked: null as never })],
  ])("refuses a bad value before anything is sent: %s", async (_what, ask) => {
    const { control, broker } = aControlRig();
    broker.publish = () => Promise.reject(new Error("something was sent"));
    await expect(ask(control)).rejects.toMatchObject({ code: expect.stringMatching(/^STEM_INVALID_(OPTION|NAME)$/) });
  });

  it("refuses bad options of its own", () => {
    const broker = new InMemoryBroker({ clock: new FakeClock(), sweeperInterval: 0 });
    for (const options of [
      null,
      {},
      { broker: {} },
      { broker: withoutBroadcasts(broker) },
      { broker, namespace: "a b" },
      { broker, namespace: "n".repeat(190) },
      { broker, defaultTimeout: -1 },
      { broker, clock: {} },
      { broker, ids: "uuid" },
      { broker, randomness: {} },
    ]) {
      expect(() => new WorkerControl(options as never)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^STEM_INVALID_(OPTION|NAME)$/) }),
      );
    }
  });

  it("names channels as is documented", () => {
    expect(controlChannel("stem")).toBe("stem.control.broadcast");
    expect(workerChannel("stem", "worker-1")).toBe("stem.control.worker.worker-1");
  });
});

function withoutBroadcasts(broker: InMemoryBroker): InMemoryBroker {
  const capabilities = { ...broker.capabilities, supportsBroadcastFanout: false };
  return new Proxy(broker, {
    get(target, key) {
      if (key === "capabilities") return capabilities;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
