import { describe, expect, it } from "vitest";
import type { ConsumeOptions } from "../../../src/contracts/broker.ts";
import { EngineError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import type { Worker } from "../../../src/runtime/worker.ts";
import { track } from "../../contract/support.ts";
import { aControlRig, only, sendRaw, withoutBroadcasts } from "./control-rig.ts";
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
    expect(answers.map(({ workerId }) => String(workerId)).sort()).toEqual(meant);
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

  it("ends although the broker never lets go of the control consumer", async () => {
    const { worker, broker, clock } = aControlRig();
    const consume = broker.consume.bind(broker);
    broker.consume = (subscription, options) => {
      const inner = consume(subscription, options);
      if (options?.consumerName !== "worker-1-control") return inner;
      return Object.assign(inner, { return: () => new Promise<never>(() => undefined) });
    };
    await worker.start();
    const ended = worker.shutdown();
    await clock.advance(1_000);
    await ended;
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
