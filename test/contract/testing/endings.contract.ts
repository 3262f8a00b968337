import { describe, expect, it } from "vitest";
import { defineTask } from "../../../src/runtime/define-task.ts";
import type { TestQueueOptions } from "../../../src/testing/test-queue-options.ts";
import { expectError } from "../support.ts";
import { broken, DAY, hello, type OpenTestQueue, tasksOf } from "./support.ts";

/** What becomes of tasks, of those that never end, and of the queue itself. */
export function describeEndings(open: OpenTestQueue): void {
  describe("a result", () => {
    it("is waited for in one line, typed", async () => {
      const queue = await open({ tasks: [hello] });
      const text: string = await queue.run(hello, { name: "world" });
      expect(text).toBe("Hello world");
    });

    it("takes as much time as it needs, and no more", async () => {
      const { flaky } = tasksOf([]);
      const queue = await open({ tasks: [flaky, hello] });
      const late = await hello.enqueue(queue.stem, { name: "late" }, { enqueueOptions: { countdown: 9 * DAY } });
      expect(await queue.run(flaky, { failures: 2 })).toBe(2);
      expect(await queue.stem.getTask(late)).toMatchObject({ state: "queued" });
      await expectError(() => queue.result(late, { skipTime: false }), "STEM_NOT_DRAINED");
      expect(await queue.result(late)).toBe("Hello late");
    });

    it("throws the stored error of a task that failed", async () => {
      const queue = await open({ tasks: [broken] });
      const failing = queue.run(broken);
      await expect(failing).rejects.toMatchObject({
        code: "STEM_TASK_FAILED",
        message: expect.stringContaining("RangeError: it is broken") as string,
        details: { type: "RangeError", message: "it is broken" },
      });
    });

    it("is there however far the clock goes, and dead letters are", async () => {
      const queue = await open({ tasks: [hello, broken] });
      const [id, dead] = [await hello.enqueue(queue.stem, { name: "old" }), await broken.enqueue(queue.stem)];
      await queue.drain();
      await queue.clock.advance(100 * DAY);
      expect(await queue.result(id)).toBe("Hello old");
      expect(await queue.broker.getDeadLetter("default", dead)).not.toBeNull();
    });

    it("is refused for a task that nobody has seen", async () => {
      const queue = await open({ tasks: [hello] });
      await expectError(() => queue.result("task-77"), "STEM_NOT_DRAINED");
    });
  });

  describe("no end", () => {
    it("of a handler is an error that names its task, and can be closed", async () => {
      const hanging = defineTask("hanging", () => new Promise<void>(() => undefined));
      const queue = await open({ tasks: [hanging], patience: 400 });
      const id = await hanging.enqueue(queue.stem);
      await expect(queue.drain()).rejects.toMatchObject({
        code: "STEM_NOT_DRAINED",
        message: expect.stringContaining(`"hanging" (${id})`) as string,
        details: { tasks: [{ id, name: "hanging", queue: "default", attempt: 0 }] },
      });
      await queue.close();
      expect(queue.clock.pendingTimers).toBe(0);
    });

    it("of a handler leaves nothing running by itself", async () => {
      const log: unknown[] = [];
      const { note } = tasksOf(log);
      const hanging = defineTask("hanging", () => new Promise<void>(() => undefined));
      const queue = await open({ tasks: [hanging, note], concurrency: 2, patience: 400 });
      await hanging.enqueue(queue.stem);
      await expectError(() => queue.drain(), "STEM_NOT_DRAINED");
      await note.enqueue(queue.stem, { text: "later" });
      for (let turn = 0; turn < 5; turn += 1) await queue.broker.pendingCount("default");
      await queue.clock.advance(0);
      expect(log).toEqual([]);
    });

    it("of a handler comes with the clock when it has a time limit", async () => {
      const slow = defineTask("slow", () => new Promise<void>(() => undefined), { hardTimeLimit: 60_000 });
      const queue = await open({ tasks: [slow] });
      await slow.enqueue(queue.stem);
      const draining = queue.drain();
      await queue.clock.advance(60_000);
      expect(await draining).toMatchObject({ failed: 1 });
    });

    it("of tasks that enqueue themselves is an error that names them", async () => {
      const loop = defineTask("loop", async (context) => {
        await context.enqueue("loop");
      });
      const queue = await open({ tasks: [loop], maxRuns: 20 });
      await loop.enqueue(queue.stem);
      await expect(queue.drain()).rejects.toMatchObject({
        code: "STEM_NOT_DRAINED",
        message: expect.stringMatching(/20 runs.*"loop" \(task-2\d\)/) as string,
      });
    });

    it("of delayed repetitions is one too, when time is skipped", async () => {
      const daily = defineTask("daily", async (context) => {
        await context.enqueue("daily", { enqueueOptions: { countdown: DAY } });
      });
      const queue = await open({ tasks: [daily], maxRuns: 30 });
      await daily.enqueue(queue.stem);
      expect(await queue.drain()).toMatchObject({ succeeded: 1 });
      await expectError(() => queue.drain({ skipTime: true }), "STEM_NOT_DRAINED");
    });

    it("of a worker that was stopped is told as such", async () => {
      const queue = await open({ tasks: [hello] });
      await hello.enqueue(queue.stem, { name: "a" });
      await queue.worker.shutdown();
      await expectError(() => queue.drain(), "STEM_CLOSED");
    });
  });

  describe("live", () => {
    it("runs tasks by themselves, for code that waits for them", async () => {
      const queue = await open({ tasks: [hello], mode: "live" });
      const result = await hello.enqueueAndWait(queue.stem, { name: "world" });
      expect(result?.value).toBe("Hello world");
      await hello.enqueue(queue.stem, { name: "again" }, { enqueueOptions: { countdown: DAY } });
      expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 1 });
      expect((await hello.enqueueAndWait(queue.stem, { name: "more" }))?.value).toBe("Hello more");
    });
  });

  describe("opening and closing", () => {
    it("gives every test the same ids, instants and randomness, and stores of its own", async () => {
      const tell = async (): Promise<unknown> => {
        const { flaky } = tasksOf([]);
        const queue = await open({ tasks: [flaky], seed: 5 });
        const id = await flaky.enqueue(queue.stem, { failures: 2 });
        await queue.drain({ skipTime: true });
        return [id, queue.clock.now(), queue.enqueued()[0]?.enqueuedAt];
      };
      const first = await tell();
      expect(await tell()).toEqual(first);
      expect(first).toMatchObject(["task-1", expect.any(Number), new Date("2026-01-01T00:00:00Z")]);
    });

    it("refuses options that are not right", async () => {
      const wrong: readonly object[] = [
        { tasks: "hello" },
        { tasks: [], store: "redis" },
        { tasks: [], mode: "fast" },
        { tasks: [], concurrency: 0 },
        { tasks: [], startAt: "today" },
        { tasks: [], seed: -1 },
        { tasks: [], patience: 0 },
        { tasks: [], maxRuns: 0 },
        { tasks: [], workers: 2 },
      ];
      for (const options of wrong) await expectError(() => open(options as TestQueueOptions), "STEM_INVALID_OPTION");
      const queue = await open({ tasks: [hello] });
      await expectError(() => queue.drain({ skipTime: 1 } as never), "STEM_INVALID_OPTION");
      await expectError(() => queue.result("a", { timeout: 1 } as never), "STEM_INVALID_OPTION");
      await expectError(() => queue.enqueued({ task: "hello" } as never), "STEM_INVALID_OPTION");
    });

    it("is closed more than once, leaves no timer, and refuses everything afterwards", async () => {
      const queue = await open({ tasks: [hello] });
      await hello.enqueue(queue.stem, { name: "a" });
      await Promise.all([queue.close(), queue.close()]);
      await queue[Symbol.asyncDispose]();
      expect(queue.clock.pendingTimers).toBe(0);
      await expectError(() => queue.drain(), "STEM_CLOSED");
      await expectError(() => hello.enqueue(queue.stem, { name: "b" }), "STEM_CLOSED");
    });
  });
}
