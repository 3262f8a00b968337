import { describe, expect, it } from "vitest";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { generateRevokeVersion } from "../../../src/runtime/revoke-version.ts";
import { settle } from "../../../src/testing/settle.ts";
import { expectError } from "../support.ts";
import { broken, DAY, hello, NOTHING, type OpenTestQueue, tasksOf } from "./support.ts";

function resolvable(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((onResolve) => (resolve = onResolve));
  return { promise, resolve };
}

/** What runs when, and how far the clock goes. */
export function describeDraining(open: OpenTestQueue): void {
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
      await broken.enqueue(queue.stem, {}, { enqueueOptions: { linkError: [{ ...linked, args: { text: "sorry" } }] } });
      expect(await queue.drain()).toEqual({ ...NOTHING, succeeded: 4, failed: 1, deadLettered: 1 });
      expect(new Set(log)).toEqual(new Set(["child", "linked", "sorry"]));
      expect(queue.enqueued().map((one) => one.name)).toEqual(["parent", "broken", "note", "note", "note"]);
    });

    it("has a link of a task that fails twice but once", async () => {
      const log: unknown[] = [];
      const { note } = tasksOf(log);
      const queue = await open({ tasks: [note, broken] });
      const linkError = [{ name: "note", args: { text: "sorry" } }];
      await broken.enqueue(queue.stem, {}, { enqueueOptions: { linkError } });
      await queue.drain();
      await queue.broker.replayDeadLetters("default");
      expect(await queue.drain()).toEqual({ ...NOTHING, failed: 1, deadLettered: 1 });
      expect(log).toEqual(["sorry"]);
      expect(queue.enqueued({ name: "note" })).toHaveLength(1);
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

    it("holds nothing back for later that could be overtaken", async () => {
      const log: unknown[] = [];
      const { note } = tasksOf(log);
      const first = defineTask("first", async (context) => {
        await note.enqueue(context, { text: "urgent" }, { enqueueOptions: { priority: 9 } });
      });
      const queue = await open({ tasks: [note, first] });
      await first.enqueue(queue.stem);
      await note.enqueue(queue.stem, { text: "usual" });
      await queue.drain();
      expect(log).toEqual(["urgent", "usual"]);
    });

    it("waits for handlers that wait for the world", async () => {
      const far = defineTask("far", async () => {
        for (let turn = 0; turn < 50; turn += 1) await settle();
        return "there";
      });
      const queue = await open({ tasks: [far] });
      expect(await queue.run(far)).toBe("there");
    });

    it("leaves messages that a test has taken by hand", async () => {
      const queue = await open({ tasks: [hello] });
      await hello.enqueue(queue.stem, { name: "mine" });
      const consumer = queue.broker.consume({ queues: ["default"] });
      const taken = await consumer.next();
      await hello.enqueue(queue.stem, { name: "others" });
      expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 1 });
      if (taken.done !== true) await queue.broker.nack(taken.value);
      await consumer.return();
      expect(await queue.drain()).toMatchObject({ succeeded: 1 });
    });

    it("takes what was published and purged through the broker", async () => {
      const queue = await open({ tasks: [hello] });
      const message = createEnvelope({ name: "hello", args: { name: "raw" } });
      await queue.broker.publish(message);
      await queue.broker.publish(message);
      await queue.broker.publish(createEnvelope({ name: "hello", args: { name: "gone" }, queue: "mail" }));
      await queue.broker.publish(message, { routing: broadcastRoute("news") });
      expect(await queue.broker.purge("mail")).toBe(1);
      expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 1 });
      expect(queue.enqueued().map(({ args }) => args["name"])).toEqual(["raw", "gone"]);
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

    it("does not stop short of a due time on a clock with parts of a millisecond", async () => {
      const queue = await open({ tasks: [hello] });
      await queue.clock.advance(0.3);
      await hello.enqueue(queue.stem, { name: "late" }, { enqueueOptions: { countdown: 12_345 } });
      await queue.clock.advance(0.1);
      expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 1 });
    });

    it("leaves what was purged, and goes on to what was not", async () => {
      const queue = await open({ tasks: [hello], queues: ["mail"] });
      const in2Days = { enqueueOptions: { countdown: 2 * DAY } };
      await hello.enqueue(queue.stem, { name: "gone" }, in2Days);
      await queue.broker.purge("default");
      const begin = queue.clock.now();
      expect(await queue.drain({ skipTime: true })).toEqual(NOTHING);
      expect(queue.clock.now()).toBe(begin);
    });

    it("lets a test's own timers fire on the way", async () => {
      const queue = await open({ tasks: [hello] });
      queue.clock.schedule(() => void hello.enqueue(queue.stem, { name: "early" }), DAY);
      const id = await hello.enqueue(queue.stem, { name: "late" }, { enqueueOptions: { countdown: 2 * DAY } });
      expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 2 });
      expect(await queue.result(id)).toBe("Hello late");
    });
  });
}
