import { describe, expect, it } from "vitest";
import type { RetryRequest } from "../../../src/contracts/task-handler.ts";
import { utf8Length } from "../../../src/core/json.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { throwables } from "../core/throwables.ts";
import { aWorkerRig, RETRY_MS, START } from "./worker-rig.ts";

class Flaky extends Error {}

describe("A failing task", () => {
  it.each(throwables())("fails with the description of $label", async ({ make, type, message }) => {
    const task = defineTask("demo.a", () => {
      throw make();
    });
    const { worker, stem, broker, settle, logger } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    const { status } = await stem.waitForTask(id);

    expect(status).toMatchObject({ state: "failed", error: { type, retryable: false } });
    if (message !== undefined) expect(status.error?.message).toBe(message);
    expect(utf8Length(status.error?.message ?? "")).toBeLessThanOrEqual(8_192);
    expect(utf8Length(status.error?.stack ?? "")).toBeLessThanOrEqual(32_768);
    expect(await broker.getDeadLetter("default", id)).toMatchObject({ reason: "max-retries-exhausted" });
    expect(logger.records).toEqual([]);
  });

  it("is retried in the place of its message, then dead-lettered", async () => {
    const seen: unknown[] = [];
    const task = defineTask(
      "demo.a",
      async ({ attempt, deliveries }) => {
        seen.push([attempt, deliveries]);
        throw new Flaky(`attempt ${attempt}`);
      },
      { maxRetries: 2 },
    );
    const { worker, stem, broker, backend, clock, types, events } = aWorkerRig([task]);
    await worker.start();
    const id = await task.enqueue(stem, undefined, { options: { maxRetries: 2 } });
    await clock.advance(0);
    expect(await backend.get(id)).toMatchObject({
      state: "retried",
      attempt: 0,
      error: { type: "Flaky", message: "attempt 0", retryable: true },
      meta: { retryDelayMs: RETRY_MS, worker: "worker-1" },
    });
    expect((await broker.listDeadLetters("default")).entries).toEqual([]);
    expect(events.find(({ type }) => type === "retried")).toMatchObject({
      nextAttemptAt: new Date(START + RETRY_MS),
    });
    await clock.advance(2 * RETRY_MS);

    expect(seen).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    expect(await backend.get(id)).toMatchObject({
      state: "failed",
      attempt: 2,
      error: { message: "attempt 2", retryable: false },
      meta: { failedAt: new Date(START + 2 * RETRY_MS).toISOString() },
    });
    expect(await broker.getDeadLetter("default", id)).toMatchObject({
      reason: "max-retries-exhausted",
      meta: { error: "Flaky: attempt 2" },
      envelope: { attempt: 2 },
    });
    expect(types()).toEqual(["started", "retried", "started", "retried", "started", "failed"]);
  });

  it("follows the policy of the message, then the task's, then the worker's strategy", async () => {
    const delays: unknown[] = [];
    const fail = async (): Promise<void> => {
      throw new Flaky("no");
    };
    const plain = defineTask("demo.plain", fail, { maxRetries: 1 });
    const own = defineTask("demo.own", fail, { maxRetries: 1, retryPolicy: { defaultDelay: 70 } });
    const { worker, stem, broker, backend, settle } = aWorkerRig([plain, own]);
    await worker.start();
    const retryPolicy = { defaultDelay: 50, backoff: true, jitter: false, maxRetries: 3 };
    // Not through the Stem of the rig, which knows no handlers: the message says nothing about retries.
    const bare = createEnvelope({ name: "demo.own", maxRetries: 1 });
    await broker.publish(bare);
    const ids = [
      await stem.enqueue("demo.own", { enqueueOptions: { retryPolicy } }),
      bare.id,
      await stem.enqueue("demo.plain", { options: { maxRetries: 1 } }),
    ];
    await settle();
    for (const id of ids) delays.push((await backend.get(id))?.meta["retryDelayMs"]);

    expect(delays).toEqual([50, 70, RETRY_MS]);
  });

  it("is not retried for an error type that its policy leaves out", async () => {
    const task = defineTask("demo.a", async (_context, args: { known: boolean }) => {
      throw args.known ? new Flaky("no") : new TypeError("no");
    });
    const { worker, stem, backend, settle } = aWorkerRig([task]);
    await worker.start();
    const retryPolicy = { maxRetries: 3, autoRetryFor: ["Flaky"], defaultDelay: 10_000 };
    const known = await task.enqueue(stem, { known: true }, { enqueueOptions: { retryPolicy } });
    const unknown = await task.enqueue(stem, { known: false }, { enqueueOptions: { retryPolicy } });
    await settle();

    expect(await backend.get(known)).toMatchObject({ state: "retried" });
    expect(await backend.get(unknown)).toMatchObject({ state: "failed", error: { type: "TypeError" } });
  });

  it("uses its own policy, and says so, when the message's cannot be read", async () => {
    const task = defineTask("demo.a", async () => Promise.reject(new Flaky("no")), {
      retryPolicy: { defaultDelay: 30, maxRetries: 1 },
    });
    const { worker, broker, backend, settle, types } = aWorkerRig([task]);
    await worker.start();
    const envelope = createEnvelope({ name: "demo.a", meta: { "stem.retryPolicy": { backoff: "maybe" } } });
    await broker.publish(envelope);
    await settle();

    expect(await backend.get(envelope.id)).toMatchObject({ state: "retried", meta: { retryDelayMs: 30 } });
    expect(types()).toEqual(["started", "error", "retried"]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["gives NaN", () => Number.NaN],
    ["gives a negative delay", () => -1],
  ])("is retried at once, and says so, when the retry strategy %s", async (_case, nextDelay: () => number) => {
    let runs = 0;
    const task = defineTask("demo.a", async () => {
      runs += 1;
      if (runs === 1) throw new Flaky("no");
      return runs;
    });
    const { worker, stem, settle, types } = aWorkerRig([task], {
      retryStrategy: { nextDelay },
    });
    await worker.start();
    const id = await stem.enqueue("demo.a", { options: { maxRetries: 1 } });
    await settle();

    expect((await stem.waitForTask(id)).value).toBe(2);
    expect(types()).toEqual(["started", "error", "retried", "started", "completed"]);
  });

  it.each([
    ["a bigint", () => 1n, "result"],
    ["a Date in an object", () => ({ at: new Date() }), "result.at"],
    ["a function", () => () => 1, "result"],
    ["NaN", () => Number.NaN, "result"],
  ])("is one whose result is %s, which follows the retry rules", async (_case, run, path) => {
    const task = defineTask("demo.a", run as () => never);
    const { worker, stem, backend, clock, broker } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a", { options: { maxRetries: 1 } });
    await clock.advance(0);
    expect(await backend.get(id)).toMatchObject({ state: "retried", error: { type: "PayloadNotSerializableError" } });
    await clock.advance(RETRY_MS);

    expect(await backend.get(id)).toMatchObject({ state: "failed", attempt: 1 });
    expect((await backend.get(id))?.error?.message).toContain(path);
    expect(await broker.getDeadLetter("default", id)).not.toBeNull();
  });

  it("is one whose result is larger than the backend takes", async () => {
    const task = defineTask("demo.a", async () => "x".repeat(2_000));
    const { worker, stem, types } = aWorkerRig([task], { maxPayloadBytes: 1_000 });
    await worker.start();
    const id = await stem.enqueue("demo.a");

    expect((await stem.waitForTask(id)).status.error).toMatchObject({ type: "PayloadTooLargeError" });
    await worker.shutdown();
    expect(types()).toEqual(["started", "failed"]);
  });

  it("is recorded in brief when its meta, its message or its stack are larger than the stores take", async () => {
    const fail = async (_context: unknown, args: { long: boolean }): Promise<void> => {
      throw Object.assign(new Error(args.long ? "long ".repeat(500) : "short"), { stack: "at somewhere ".repeat(200) });
    };
    const task = defineTask("demo.a", fail);
    const { worker, broker, stem } = aWorkerRig([task], { maxPayloadBytes: 1_000 });
    await worker.start();
    for (const [long, pad] of [
      [false, 0],
      [true, 0],
      [true, 980],
    ] as const) {
      const envelope = createEnvelope({ name: "demo.a", args: { long }, meta: { pad: "x".repeat(pad) } });
      await broker.publish(envelope);
      const { status } = await stem.waitForTask(envelope.id);

      expect(status).toMatchObject({ state: "failed", error: { type: "Error" }, meta: { worker: "worker-1" } });
      expect(status.error?.message).toBe(long ? "long ".repeat(20) : "short");
      expect(status.error).not.toHaveProperty("stack");
      expect(status.meta).not.toHaveProperty("pad");
      expect(await broker.getDeadLetter("default", envelope.id)).toMatchObject({
        meta: { error: expect.stringMatching(/^Error: /) },
      });
    }
  });
});

describe("context.retry", () => {
  function aRetrier(request: RetryRequest | undefined, options: { maxRetries?: number } = {}) {
    const seen: number[] = [];
    const task = defineTask("demo.a", async (context) => {
      seen.push(context.attempt);
      context.retry(request);
    });
    const rig = aWorkerRig([task]);
    return { ...rig, seen, enqueue: () => rig.stem.enqueue("demo.a", { options: { maxRetries: 5, ...options } }) };
  }

  it("runs the task again after the strategy's delay", async () => {
    const { worker, enqueue, seen, clock, backend, types } = aRetrier(undefined);
    await worker.start();
    const id = await enqueue();
    await clock.advance(RETRY_MS);

    expect(seen).toEqual([0, 1]);
    expect(await backend.get(id)).toMatchObject({
      state: "retried",
      error: { type: "RetryRequested", retryable: true },
    });
    expect(types()).toEqual(["started", "retried", "started", "retried"]);
  });

  it.each([
    ["countdown", { countdown: 77 }, 77],
    ["eta", { eta: new Date(START + 99), countdown: 5 }, 99],
    ["an eta that has passed", { eta: new Date(START - 5) }, 0],
    ["its policy", { retryPolicy: { defaultDelay: 33 } }, 33],
  ])("takes the delay from %s", async (_case, request, delay) => {
    const { worker, enqueue, settle, backend } = aRetrier(request, { maxRetries: 1 });
    await worker.start();
    const id = await enqueue();
    await settle();

    const status = await backend.get(id);
    if (delay === 0) expect(status).toMatchObject({ state: "failed", attempt: 1 });
    else expect(status).toMatchObject({ state: "retried", meta: { retryDelayMs: delay } });
  });

  it("keeps what it overrides for all later attempts", async () => {
    const metas: unknown[] = [];
    const task = defineTask("demo.a", async (context) => {
      metas.push(context.meta);
      if (context.attempt === 0) {
        context.retry({
          countdown: 0,
          maxRetries: 2,
          timeLimit: 5_000,
          softTimeLimit: 4_000,
          retryPolicy: { defaultDelay: 7 },
        });
      }
      throw new Flaky("no");
    });
    const { worker, stem, clock, backend } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a", { options: { maxRetries: 1 } });
    await clock.advance(100);

    expect(metas).toHaveLength(3);
    expect(metas[2]).toMatchObject({
      "stem.timeLimitMs": 5_000,
      "stem.softTimeLimitMs": 4_000,
      "stem.retryPolicy": { defaultDelayMs: 7 },
    });
    expect(await backend.get(id)).toMatchObject({ state: "failed", attempt: 2, error: { type: "Flaky" } });
  });

  it("may raise the number of retries above that of the policy in force", async () => {
    const { worker, stem, seen, clock } = aRetrier({ maxRetries: 3, countdown: 1 });
    await worker.start();
    await stem.enqueue("demo.a", { enqueueOptions: { retryPolicy: { maxRetries: 1 } } });
    await clock.advance(100);

    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it("fails the task when no retry is left", async () => {
    const { worker, enqueue, seen, clock, backend, broker } = aRetrier({ countdown: 1 }, { maxRetries: 2 });
    await worker.start();
    const id = await enqueue();
    await clock.advance(10);

    expect(seen).toEqual([0, 1, 2]);
    expect(await backend.get(id)).toMatchObject({ state: "failed", attempt: 2, error: { type: "RetryExhausted" } });
    expect(await broker.getDeadLetter("default", id)).toMatchObject({ reason: "max-retries-exhausted" });
  });

  it.each([
    { countdown: -1 },
    { countdown: "1" },
    { eta: new Date(Number.NaN) },
    { maxRetries: 0.5 },
    { timeLimit: 0 },
    { softTimeLimit: Number.NaN },
    { retryPolicy: { backoff: 1 } },
    { delay: 5 },
    null,
  ])("fails the run with InvalidOptionError for %j", async (request) => {
    const { worker, enqueue, settle, backend } = aRetrier(request as never, { maxRetries: 0 });
    await worker.start();
    const id = await enqueue();
    await settle();

    expect(await backend.get(id)).toMatchObject({ state: "failed", error: { type: "InvalidOptionError" } });
  });

  it("does nothing when the handler catches it", async () => {
    const task = defineTask("demo.a", async (context): Promise<string> => {
      try {
        return context.retry();
      } catch {
        return "changed my mind";
      }
    });
    const { worker, stem } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a");

    expect((await stem.waitForTask(id)).value).toBe("changed my mind");
  });
});
