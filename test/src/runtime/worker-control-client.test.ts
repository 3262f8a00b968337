import { describe, expect, it } from "vitest";
import { InMemoryBroker } from "../../../adapters/memory/index.ts";
import { controlChannel, workerChannel } from "../../../src/core/control-message.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { EngineError } from "../../../src/errors.ts";
import { WorkerControl } from "../../../src/runtime/worker-control.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { track } from "../../contract/support.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { aControl, aControlRig, only, withoutBroadcasts } from "./control-rig.ts";

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
    const again = { ...answer, payload: { again: true } };
    for (const args of [{}, { ...answer, status: "fine" }, { ...answer, workerId: "" }, answer, again]) {
      await broker.publish(anEnvelope({ name: "__stem.control.reply__", headers, args }), { routing });
    }
    await broker.publish(anEnvelope({ name: "demo.a", args: answer }), { routing });
    await clock.advance(10);
    expect(await asking).toEqual([answer]);
    expect(logger.records.filter(({ level }) => level === "warn")).toHaveLength(4);
  });

  it("takes answers only from those that it asked", async () => {
    const { broker, clock, logger } = aControlRig();
    const control = aControl(broker, clock, logger);
    const asking = control.ping({ targets: ["w"], timeout: 10 });
    const routing = broadcastRoute("stem.control.reply.request-1");
    const headers = { "stem-control": "1" };
    const args = { requestId: "request-1", workerId: "other", status: "ok", payload: {} };
    await broker.publish(anEnvelope({ name: "__stem.control.reply__", headers, args }), { routing });
    await clock.advance(10);
    expect(await asking).toEqual([]);
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
