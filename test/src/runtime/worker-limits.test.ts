import { describe, expect, it } from "vitest";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { TimeoutError } from "../../../src/errors.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aGate, aWorkerRig, RETRY_MS } from "./worker-rig.ts";

function aGatedTask(options: { softTimeLimit?: number; hardTimeLimit?: number } = {}) {
  const gate = aGate();
  const contexts: TaskContext[] = [];
  const task = defineTask(
    "demo.a",
    async (context) => {
      contexts.push(context);
      await gate.passed;
      return "late";
    },
    options,
  );
  return { gate, contexts, task };
}

describe("The soft time limit", () => {
  it("fires the signal and an event, and lets the task go on", async () => {
    const { gate, contexts, task } = aGatedTask({ softTimeLimit: 500 });
    const { worker, stem, clock, settle, events, types } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await clock.advance(499);
    expect(contexts[0]?.signal.aborted).toBe(false);
    await clock.advance(1);

    expect(contexts[0]?.signal.reason).toBeInstanceOf(TimeoutError);
    expect(events.at(-1)).toMatchObject({ type: "timeout", level: "soft", limitMs: 500, envelope: { id } });
    expect(() => contexts[0]?.progress(0.5)).not.toThrow();
    gate.open();
    await settle();
    expect((await stem.waitForTask(id)).value).toBe("late");
    expect(types()).toEqual(["started", "timeout", "progress", "completed"]);
  });
});

describe("The hard time limit", () => {
  it("fails the attempt, frees the slot and discards what the handler returns later", async () => {
    const { gate, contexts, task } = aGatedTask({ hardTimeLimit: 500 });
    const quick = defineTask("demo.b", async () => "quick");
    const { worker, stem, broker, backend, clock, settle, events } = aWorkerRig([task, quick], { concurrency: 1 });
    const ofTask = (taskId: string): readonly string[] =>
      events.flatMap((event) => ("envelope" in event && event.envelope?.id === taskId ? [event.type] : []));
    await worker.start();
    const id = await stem.enqueue("demo.a");
    const next = await stem.enqueue("demo.b");
    await clock.advance(500);

    expect(await backend.get(id)).toMatchObject({ state: "failed", error: { type: "TimeoutError" } });
    expect(await broker.getDeadLetter("default", id)).toMatchObject({ reason: "max-retries-exhausted" });
    expect((await stem.waitForTask(next)).value).toBe("quick");
    expect(contexts[0]?.signal.reason).toBeInstanceOf(TimeoutError);
    expect(() => contexts[0]?.heartbeat()).toThrow(TimeoutError);
    gate.open();
    await settle();
    expect(await backend.get(id)).toMatchObject({ state: "failed" });
    expect(ofTask(id)).toEqual(["started", "timeout", "failed"]);
    expect(ofTask(next)).toEqual(["started", "completed"]);
  });

  it("follows the retry rules, and a handler that fails later disturbs nobody", async () => {
    const gate = aGate();
    const task = defineTask("demo.a", async ({ attempt }) => {
      if (attempt > 0) return attempt;
      await gate.passed;
      throw new Error("late");
    });
    const { worker, stem, clock, settle, events } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a", { options: { hardTimeLimit: 300, maxRetries: 1 } });
    await clock.advance(300 + RETRY_MS);
    gate.open();
    await settle();

    expect((await stem.waitForTask(id)).value).toBe(1);
    expect(events.find(({ type }) => type === "timeout")).toMatchObject({ level: "hard", limitMs: 300 });
  });

  it("of the message wins over the task's", async () => {
    const { task, gate } = aGatedTask({ hardTimeLimit: 500, softTimeLimit: 400 });
    const { worker, stem, clock, settle, events } = aWorkerRig([task]);
    await worker.start();
    await stem.enqueue("demo.a", { enqueueOptions: { timeLimit: 90, softTimeLimit: 80 } });
    await clock.advance(100);

    expect(events.filter(({ type }) => type === "timeout")).toMatchObject([{ limitMs: 80 }, { limitMs: 90 }]);
    gate.open();
    await settle();
  });

  it.each([0, -5, "90", null, 1e300])("of %j in a message is left aside", async (limit) => {
    const { task, gate } = aGatedTask({ hardTimeLimit: 500 });
    const { worker, broker, clock, settle, types } = aWorkerRig([task]);
    await worker.start();
    await broker.publish(createEnvelope({ name: "demo.a", meta: { "stem.timeLimitMs": limit } }));
    await clock.advance(499);
    expect(types()).toEqual(["started"]);
    await clock.advance(1);

    expect(types()).toEqual(["started", "timeout", "failed"]);
    gate.open();
    await settle();
  });

  it("longer than 2^31 ms does not fire early", async () => {
    const { task, gate } = aGatedTask({ hardTimeLimit: 2 ** 40 });
    const { worker, stem, clock, settle } = aWorkerRig([task]);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await clock.advance(60_000);
    gate.open();
    await settle();

    expect((await stem.waitForTask(id)).value).toBe("late");
  });
});
