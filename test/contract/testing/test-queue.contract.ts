import { afterEach, describe, expect, it } from "vitest";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { generateRevokeVersion } from "../../../src/runtime/revoke-version.ts";
import type { TestQueueOptions } from "../../../src/testing/test-queue-options.ts";
import type { TestQueue } from "../../../src/testing/test-queue.ts";
import { expectError } from "../support.ts";

const DAY = 86_400_000;
const NOTHING = { succeeded: 0, failed: 0, retried: 0, cancelled: 0, deadLettered: 0 };

const hello = defineTask("hello", async (_context, { name }: { name: string }) => `Hello ${name}`);
const broken = defineTask("broken", async () => {
  throw new RangeError("it is broken");
});

/** Tasks that say what they did, and how often they fail first. */
function tasksOf(log: unknown[]) {
  const note = defineTask("note", async (_context, { text }: { text: string }) => void log.push(text));
  const flaky = defineTask(
    "flaky",
    async ({ attempt }, { failures }: { failures: number }) => {
      log.push(attempt);
      if (attempt < failures) throw new Error(`failure ${attempt}`);
      return attempt;
    },
    { maxRetries: 5, retryPolicy: { backoff: true, defaultDelay: 60_000, backoffMax: DAY } },
  );
  return { note, flaky };
}

function resolvable(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((onResolve) => (resolve = onResolve));
  return { promise, resolve };
}

/** What a queue under test promises, whatever its stores and wherever it runs. */
export function describeTestQueueContract(
  name: string,
  openTestQueue: (options: TestQueueOptions) => Promise<TestQueue>,
): void {
  describe(name, () => {
    const opened: TestQueue[] = [];
    const open = async (options: TestQueueOptions): Promise<TestQueue> => {
      const queue = await openTestQueue(options);
      opened.push(queue);
      return queue;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((queue) => queue.close()));
    });

    describe("draining", () => {
      it("runs nothing before it is asked to, then everything, and nothing afterwards", async () => {
        const queue = await open({ tasks: [hello, broken] });
        const id = await hello.enqueue(queue.stem, { name: "world" });
        await broken.enqueue(queue.stem);
        await queue.clock.advance(5 * DAY);
        expect(await queue.stem.getTask(id)).toMatchObject({ state: "queued" });
        expect(await queue.drain()).toEqual({ ...NOTHING, succeeded: 1, failed: 1, deadLettered: 1 });
        expect(await queue.drain()).toEqual(NOTHING);
        await hello.enqueue(queue.stem, { name: "again" });
        await queue.clock.advance(0);
        expect(await queue.broker.pendingCount("default")).toBe(1);
        expect(await queue.drain()).toMatchObject({ succeeded: 1 });
        expect(queue.logs.filter(({ level }) => level === "error")).toEqual([]);
      });

      it("runs what handlers enqueue, and links", async () => {
        const log: unknown[] = [];
        const { note } = tasksOf(log);
        const parent = defineTask("parent", async (context) => {
          await note.enqueue(context, { text: "child" });
        });
        const queue = await open({ tasks: [parent, note, broken] });
        const linked = { name: "note", args: { text: "linked" } };
        await parent.enqueue(queue.stem, {}, { enqueueOptions: { link: [linked] } });
        await broken.enqueue(
          queue.stem,
          {},
          { enqueueOptions: { linkError: [{ ...linked, args: { text: "sorry" } }] } },
        );
        expect(await queue.drain()).toEqual({ ...NOTHING, succeeded: 4, failed: 1, deadLettered: 1 });
        expect(new Set(log)).toEqual(new Set(["child", "linked", "sorry"]));
        expect(queue.enqueued().map((one) => one.name)).toEqual(["parent", "broken", "note", "note", "note"]);
      });

      it("leaves what is delayed, and runs it once the clock is there", async () => {
        const queue = await open({ tasks: [hello] });
        const id = await hello.enqueue(queue.stem, { name: "later" }, { enqueueOptions: { countdown: 3 * DAY } });
        expect(await queue.drain()).toEqual(NOTHING);
        await queue.clock.advance(3 * DAY - 1);
        expect(await queue.drain()).toEqual(NOTHING);
        await queue.clock.advance(1);
        expect(await queue.drain()).toMatchObject({ succeeded: 1 });
        expect(await queue.result(id)).toBe("Hello later");
      });

      it("counts a revoked task as cancelled, and leaves a paused queue alone", async () => {
        const queue = await open({ tasks: [hello] });
        const taskId = await hello.enqueue(queue.stem, { name: "nobody" });
        const issuedAt = new Date(queue.clock.now());
        const version = generateRevokeVersion(queue.clock);
        await queue.revokeStore.upsertAll([{ namespace: "stem", taskId, version, issuedAt, terminate: false }]);
        expect(await queue.drain()).toEqual({ ...NOTHING, cancelled: 1 });
        await queue.worker.pauseQueue("default");
        const paused = await hello.enqueue(queue.stem, { name: "paused" });
        expect(await queue.drain({ skipTime: true })).toEqual(NOTHING);
        await expectError(() => queue.result(paused), "STEM_NOT_DRAINED");
        await queue.worker.resumeQueue("default");
        expect(await queue.result(paused)).toBe("Hello paused");
      });

      it("keeps to priorities, one task after the other", async () => {
        const log: unknown[] = [];
        const { note } = tasksOf(log);
        const queue = await open({ tasks: [note] });
        for (const priority of [1, 9, 5]) {
          await note.enqueue(queue.stem, { text: `${priority}` }, { enqueueOptions: { priority } });
        }
        await queue.drain();
        expect(log).toEqual(["9", "5", "1"]);
      });

      it("runs as many tasks at once as it is told to", async () => {
        const { promise, resolve } = resolvable();
        let running = 0;
        const meet = defineTask("meet", async () => {
          running += 1;
          if (running === 3) resolve();
          await promise;
        });
        const queue = await open({ tasks: [meet], concurrency: 3 });
        for (let index = 0; index < 6; index += 1) await meet.enqueue(queue.stem);
        expect(await queue.drain()).toMatchObject({ succeeded: 6 });
      });

      it("works on the queues of its tasks and on those it is told of, and leaves others", async () => {
        const mail = defineTask("mail", async () => "sent", { queue: "mail" });
        const queue = await open({ tasks: [mail, hello], queues: ["reports"] });
        await mail.enqueue(queue.stem);
        await hello.enqueue(queue.stem, { name: "a" }, { enqueueOptions: { queue: "reports" } });
        await hello.enqueue(queue.stem, { name: "b" }, { enqueueOptions: { queue: "elsewhere" } });
        expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 2 });
        expect(queue.enqueued({ queue: "mail" }).map(({ name: task }) => task)).toEqual(["mail"]);
        expect(queue.enqueued({ name: "hello" }).map((one) => [one.id, one.queue, one.args])).toEqual([
          ["task-2", "reports", { name: "a" }],
          ["task-3", "elsewhere", { name: "b" }],
        ]);
        expect(queue.enqueued({ name: "hello", queue: "mail" })).toEqual([]);
      });

      it("is done one at a time, however often it is called at once", async () => {
        const queue = await open({ tasks: [hello] });
        await hello.enqueue(queue.stem, { name: "a" });
        const [first, second] = await Promise.all([queue.drain(), queue.drain({ skipTime: true })]);
        expect([first.succeeded, second.succeeded]).toEqual([1, 0]);
      });
    });

    describe("skipping time", () => {
      it("goes through retries with their backoff", async () => {
        const log: unknown[] = [];
        const { flaky } = tasksOf(log);
        const queue = await open({ tasks: [flaky] });
        const begin = queue.clock.now();
        const id = await flaky.enqueue(queue.stem, { failures: 3 });
        expect(await queue.drain()).toEqual({ ...NOTHING, retried: 1 });
        expect(await queue.drain({ skipTime: true })).toEqual({ ...NOTHING, retried: 2, succeeded: 1 });
        expect(log).toEqual([0, 1, 2, 3]);
        expect(queue.clock.now() - begin).toBeGreaterThanOrEqual(60_000);
        expect(await queue.result(id)).toBe(3);
        expect(queue.enqueued()).toHaveLength(1);
      });

      it("ends with the dead letter of a task that has no retry left, and with its replay", async () => {
        const { flaky } = tasksOf([]);
        const queue = await open({ tasks: [flaky] });
        const id = await flaky.enqueue(queue.stem, { failures: 9 });
        expect(await queue.drain({ skipTime: true })).toEqual({ ...NOTHING, retried: 5, failed: 1, deadLettered: 1 });
        await expectError(() => queue.result(id), "STEM_TASK_FAILED");
        await queue.broker.replayDeadLetters("default", { delay: DAY });
        expect(await queue.drain()).toEqual(NOTHING);
        expect(await queue.drain({ skipTime: true })).toMatchObject({ retried: 5, failed: 1 });
      });

      it("runs what is delayed by days in the order of its due times, each at its instant", async () => {
        const log: unknown[] = [];
        const stamp = defineTask("stamp", async (_context, { text }: { text: string }) => {
          log.push([text, new Date(queue.clock.now()).toISOString()]);
        });
        const queue = await open({ tasks: [stamp], startAt: new Date("2026-03-01T12:00:00Z") });
        for (const days of [40, 2, 7]) {
          await stamp.enqueue(queue.stem, { text: `${days}` }, { enqueueOptions: { countdown: days * DAY } });
        }
        expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 3 });
        expect(log).toEqual([
          ["2", "2026-03-03T12:00:00.000Z"],
          ["7", "2026-03-08T12:00:00.000Z"],
          ["40", "2026-04-10T12:00:00.000Z"],
        ]);
      });

      it("lets a test's own timers fire on the way", async () => {
        const queue = await open({ tasks: [hello] });
        queue.clock.schedule(() => void hello.enqueue(queue.stem, { name: "early" }), DAY);
        const id = await hello.enqueue(queue.stem, { name: "late" }, { enqueueOptions: { countdown: 2 * DAY } });
        expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 2 });
        expect(await queue.result(id)).toBe("Hello late");
      });
    });

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

      it("is refused for a task that nobody has seen", async () => {
        const queue = await open({ tasks: [hello] });
        await expectError(() => queue.result("task-77"), "STEM_NOT_DRAINED");
      });
    });

    describe("no end", () => {
      it("of a handler is an error that names its task, and can be closed", async () => {
        const hanging = defineTask("hanging", () => new Promise<void>(() => undefined));
        const queue = await open({ tasks: [hanging], patience: 30 });
        const id = await hanging.enqueue(queue.stem);
        await expect(queue.drain()).rejects.toMatchObject({
          code: "STEM_NOT_DRAINED",
          message: expect.stringContaining(`"hanging" (${id})`) as string,
          details: { tasks: [{ id, name: "hanging", queue: "default", attempt: 0 }] },
        });
        await queue.close();
        expect(queue.clock.pendingTimers).toBe(0);
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
  });
}
