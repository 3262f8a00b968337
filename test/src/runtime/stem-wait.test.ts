import { describe, expect, it } from "vitest";
import { InMemoryBroker, InMemoryResultBackend } from "../../../adapters/memory/index.ts";
import type { TaskStatus } from "../../../src/contracts/result-backend.ts";
import { ClosedError, EngineError, MissingBackendError, TaskFailedError } from "../../../src/errors.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

function aWaiter() {
  const clock = new FakeClock();
  const broker = new InMemoryBroker({ clock, sweeperInterval: 0 });
  const backend = new InMemoryResultBackend({ clock, cleanupInterval: 0 });
  return { clock, backend, stem: new Stem({ broker, backend, clock }) };
}

describe("Stem.waitForTask", () => {
  it("gives the result of a task that has ended already", async () => {
    const { stem, backend } = aWaiter();
    await backend.set("t1", "succeeded", { payload: { n: 1 }, attempt: 2 });
    const result = await stem.waitForTask<{ n: number }>("t1");

    expect(result).toMatchObject({
      taskId: "t1",
      state: "succeeded",
      status: { attempt: 2 },
      value: { n: 1 },
      timedOut: false,
      isSucceeded: true,
      isFailed: false,
      isCancelled: false,
    });
    expect(result.requiredValue()).toEqual({ n: 1 });
    expect(result.valueOr("none")).toEqual({ n: 1 });
  });

  it("waits for a task that is not known yet, through every state that is not terminal", async () => {
    const { stem, backend } = aWaiter();
    const waiting = stem.waitForTask("t1");
    await backend.set("t1", "queued");
    await backend.set("t1", "running");
    await backend.set("t1", "retried");
    await backend.set("t1", "running", { attempt: 1 });
    await backend.set("t1", "succeeded", { attempt: 1 });

    expect((await waiting).value).toBeNull();
  });

  it.each(["failed", "cancelled"] as const)("has no value for a task that is %s", async (state) => {
    const { stem, backend } = aWaiter();
    const error = { type: "Boom", message: "no", retryable: false, meta: {} };
    await backend.set("t1", state, { error });
    const result = await stem.waitForTask("t1");

    expect(result).toMatchObject({ isFailed: state === "failed", isCancelled: state === "cancelled" });
    expect(result.value).toBeUndefined();
    expect(result.valueOr(7)).toBe(7);
    expect(() => result.requiredValue()).toThrow(TaskFailedError);
    expect(() => result.requiredValue()).toThrow(/"t1".*Boom: no/);
  });

  it("says timedOut with the status at the timeout, and null for a task never seen", async () => {
    const { stem, backend, clock } = aWaiter();
    await backend.set("t1", "running");
    const seen = stem.waitForTask("t1", { timeout: 1_000 });
    const unseen = stem.waitForTask("t2", { timeout: 1_000 });
    await clock.advance(1_000);

    expect(await seen).toMatchObject({ timedOut: true, state: "running", value: undefined, isSucceeded: false });
    expect(await unseen).toBeNull();
    expect(clock.pendingTimers).toBe(0);
  });

  it("reads the status once more at the timeout", async () => {
    const { stem, backend, clock } = aWaiter();
    backend.watch = silentWatch;
    const waiting = stem.waitForTask("t1", { timeout: 1_000 });
    await backend.set("t1", "succeeded", { payload: 1 });
    await clock.advance(1_000);

    expect(await waiting).toMatchObject({ timedOut: false, value: 1 });
  });

  it("polls when told to", async () => {
    const { stem, backend, clock } = aWaiter();
    backend.watch = silentWatch;
    const waiting = stem.waitForTask("t1", { pollInterval: 100 });
    await clock.advance(250);
    await backend.set("t1", "succeeded", { payload: 1 });
    await clock.advance(50);

    expect((await waiting).value).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("leaves no timer behind when the task ends first", async () => {
    const { stem, backend, clock } = aWaiter();
    const waiting = stem.waitForTask("t1", { timeout: 1_000, pollInterval: 100 });
    await backend.set("t1", "succeeded");
    await waiting;

    expect(clock.pendingTimers).toBe(0);
  });

  it("releases its watch when it ends, also at the timeout", async () => {
    const { stem, backend, clock } = aWaiter();
    let released = 0;
    backend.watch = () => ({
      ...silentWatch(),
      return: async () => {
        released += 1;
        return { done: true, value: undefined };
      },
    });
    const waiting = stem.waitForTask("t1", { timeout: 10 });
    await clock.advance(10);
    await waiting;

    expect(released).toBe(1);
  });

  it("ends with ClosedError when the Stem or the backend is closed", async () => {
    const { stem, backend } = aWaiter();
    const one = stem.waitForTask("t1");
    await stem.close();
    await expect(one).rejects.toThrow(ClosedError);

    const other = new Stem({ broker: new InMemoryBroker({ clock: new FakeClock() }), backend }).waitForTask("t1");
    await backend.close();
    await expect(other).rejects.toThrow(ClosedError);
  });

  it("fails with the backend's error", async () => {
    const { stem, backend } = aWaiter();
    const failure = new EngineError("gone");
    backend.watch = () => ({ ...silentWatch(), next: () => Promise.reject(failure) });

    await expect(stem.waitForTask("t1")).rejects.toBe(failure);
  });

  it("needs a backend", async () => {
    const stem = new Stem({ broker: new InMemoryBroker({ clock: new FakeClock() }) });

    await expect(stem.waitForTask("t1")).rejects.toThrow(MissingBackendError);
    await expect(stem.getTask("t1")).rejects.toThrow(MissingBackendError);
  });

  it.each([
    ["", {}],
    ["t1", { timeout: -1 }],
    ["t1", { timeout: "1" }],
    ["t1", { timeout: Number.POSITIVE_INFINITY }],
    ["t1", { pollInterval: 0 }],
    ["t1", { pollInterval: null }],
    ["t1", { timeoutMs: 1 }],
    ["t1", null],
  ])("refuses %j with %j", async (id, options) => {
    await expect(aWaiter().stem.waitForTask(id, options as never)).rejects.toMatchObject({
      code: expect.stringMatching(/^STEM_INVALID_(OPTION|NAME)$/),
    });
  });
});

function silentWatch(): AsyncIterableIterator<TaskStatus> {
  return {
    next: () => new Promise(() => undefined),
    return: async () => ({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
