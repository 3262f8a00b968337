import { describe, expect, it } from "vitest";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import type { EnqueueOptions } from "../../../src/contracts/task-enqueuer.ts";
import { InvalidNameError, InvalidOptionError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aWorkerRig } from "./worker-rig.ts";

/** Runs `inside` in a handler, and gives it back with what it enqueued. */
async function inside(work: (context: TaskContext) => Promise<unknown>, parent: EnqueueOptions = {}) {
  let outcome: { value?: unknown; error?: unknown } = {};
  const parentTask = defineTask("demo.parent", async (context) => {
    outcome = await work(context).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  });
  const childTask = defineTask("demo.child", async () => 1, { queue: "children", maxRetries: 4 });
  const rig = aWorkerRig([parentTask, childTask]);
  await rig.worker.start();
  await rig.stem.enqueue("demo.parent", parent);
  await rig.settle();
  const consumer = rig.broker.consume({ queues: ["children", "default", "elsewhere"] });
  const next = consumer.next();
  await rig.settle();
  await consumer.return();
  const { value } = await next;
  return { ...rig, ...outcome, child: value?.envelope };
}

describe("context.enqueue", () => {
  it("records the parent, and takes over nothing else of it but the trace", async () => {
    const { value, child, backend } = await inside(
      (context) => context.enqueue("demo.child", { args: { n: 1 }, headers: { own: "h" }, meta: { own: 1 } }),
      {
        headers: { "stem-group-id": "g1", tenant: "t1", traceparent: "00-trace", tracestate: "a=1" },
        meta: { secret: true },
        enqueueOptions: {
          taskId: "p1",
          expires: 60_000,
          timeLimit: 5_000,
          ignoreResult: true,
          priority: 5,
          retryPolicy: { maxRetries: 9 },
        },
      },
    );

    expect(value).toBe("child-1");
    expect(child).toMatchObject({ id: "child-1", args: { n: 1 }, queue: "children", maxRetries: 4, priority: 0 });
    expect(child?.headers).toEqual({ own: "h", traceparent: "00-trace", tracestate: "a=1" });
    expect(child?.meta).toEqual({
      own: 1,
      "stem.task": "demo.child",
      "stem.queue": "children",
      "stem.parentTaskId": "p1",
      "stem.parentAttempt": 0,
      "stem.rootTaskId": "p1",
    });
    expect(await backend.get("child-1")).toMatchObject({ state: "queued", meta: { "stem.parentTaskId": "p1" } });
  });

  it("keeps the root of the parent", async () => {
    const { child } = await inside((context) => context.spawn("demo.child"), { meta: { "stem.rootTaskId": "r0" } });

    expect(child?.meta).toMatchObject({ "stem.rootTaskId": "r0" });
  });

  it("prefers the child's own trace headers", async () => {
    const { child } = await inside((context) => context.enqueue("demo.child", { headers: { traceparent: "mine" } }), {
      headers: { traceparent: "parent" },
    });

    expect(child?.headers).toEqual({ traceparent: "mine" });
  });

  it("records no parent when told not to", async () => {
    const { child } = await inside((context) =>
      context.enqueue("demo.child", { enqueueOptions: { addToParent: false } }),
    );

    expect(Object.keys(child?.meta ?? {})).toEqual(["stem.task", "stem.queue"]);
  });

  it("takes every option of an enqueue", async () => {
    const { child } = await inside(
      (context) =>
        context.spawn("demo.child", {
          enqueueOptions: {
            taskId: "c1",
            countdown: 0,
            expires: 60_000,
            priority: 9,
            timeLimit: 2_000,
            softTimeLimit: 1_000,
            ignoreResult: true,
            retry: true,
            retryPolicy: { defaultDelay: 5, maxRetries: 2 },
            onConflict: "replace-pending",
            exchange: "ex",
            routingKey: "r.k",
            serializer: "json",
            compression: "gzip",
            shadow: "shown",
            replyTo: "replies",
            publishConnection: { pool: 1 },
            producer: { host: "h" },
            link: [{ name: "demo.next", enqueueOptions: { taskId: "n1" } }],
            linkError: [{ name: "demo.excuse", enqueueOptions: { taskId: "e1" } }],
          },
        }),
      { enqueueOptions: { taskId: "p1" } },
    );

    expect(child).toMatchObject({
      id: "c1",
      priority: 9,
      maxRetries: 2,
      meta: {
        "stem.parentTaskId": "p1",
        "stem.timeLimitMs": 2_000,
        "stem.softTimeLimitMs": 1_000,
        "stem.ignoreResult": true,
        "stem.retryPolicy": { defaultDelayMs: 5, maxRetries: 2 },
        "stem.exchange": "ex",
        "stem.routingKey": "r.k",
        "stem.serializer": "json",
        "stem.compression": "gzip",
        "stem.shadow": "shown",
        "stem.replyTo": "replies",
        "stem.publishConnection": { pool: 1 },
        "stem.producer": { host: "h" },
        "stem.link": [{ name: "demo.next", enqueueOptions: { taskId: "n1" } }],
        "stem.linkError": [{ name: "demo.excuse", enqueueOptions: { taskId: "e1" } }],
      },
    });
  });

  it("works through a typed task, and apart from its context", async () => {
    const child = defineTask("demo.child", async (_context, args: { n: number }) => args.n);
    const typed = await inside(({ enqueue, spawn }) => child.enqueue({ enqueue: spawn ?? enqueue }, { n: 7 }));

    expect(typed.child).toMatchObject({ args: { n: 7 } });
  });

  it("takes names of tasks that only other workers know", async () => {
    const { child } = await inside((context) =>
      context.enqueue("elsewhere.task", { enqueueOptions: { queue: "elsewhere" } }),
    );

    expect(child).toMatchObject({ name: "elsewhere.task", queue: "elsewhere" });
  });

  it.each([
    ["a bad name", "a b", {}, InvalidNameError],
    ["no object", "demo.child", null, InvalidOptionError],
    ["an unknown option", "demo.child", { delay: 1 }, InvalidOptionError],
    ["bad meta", "demo.child", { meta: 3 }, Error],
    ["bad headers", "demo.child", { headers: [] }, Error],
  ])("refuses %s", async (_case, name, options, errorClass) => {
    const { error, child } = await inside((context) => context.enqueue(name, options as never));

    expect(error).toBeInstanceOf(errorClass);
    expect(child).toBeUndefined();
  });
});

describe("context.progress and context.heartbeat", () => {
  it("tell listeners of the worker", async () => {
    const { events } = await inside(async (context) => {
      context.progress(0);
      context.progress(0.5, { rows: 10 });
      context.progress(1);
      context.heartbeat();
    });

    expect(events.filter(({ type }) => type === "progress" || type === "heartbeat")).toMatchObject([
      { type: "progress", fraction: 0, envelope: { name: "demo.parent" } },
      { type: "progress", fraction: 0.5, data: { rows: 10 } },
      { type: "progress", fraction: 1 },
      { type: "heartbeat", envelope: { name: "demo.parent" } },
    ]);
  });

  it.each([-0.1, 1.1, Number.NaN, "0.5", undefined, null])("refuse the fraction %j", async (fraction) => {
    const { error } = await inside(async (context) => context.progress(fraction as never));

    expect(error).toBeInstanceOf(InvalidOptionError);
  });
});
