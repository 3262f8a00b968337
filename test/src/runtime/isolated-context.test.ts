import { describe, expect, it } from "vitest";
import type { TaskError } from "../../../src/contracts/result-backend.ts";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import type { EnqueueOptions } from "../../../src/contracts/task-enqueuer.ts";
import { defineIsolatedTask } from "../../../src/runtime/define-isolated-task.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { throwables } from "../core/throwables.ts";
import { UNSTORABLE } from "../core/unstorable-values.ts";
import { FakeIsolates } from "./fake-isolates.ts";
import { anIsolateRig, MODULE } from "./isolate-rig.ts";
import { aWorkerRig, RETRY_MS } from "./worker-rig.ts";

type Work = (context: TaskContext) => unknown;

const SOURCES = /\n.*/s;

/** Runs `work` in a task, in a thread or not, and tells all that the world then sees of it. */
async function outcomeOf(kind: "inline" | "isolated", work: Work, parent: EnqueueOptions = {}) {
  const isolates = new FakeIsolates({ [MODULE]: { work } });
  const options = { queue: "parents", maxRetries: 1 };
  const task =
    kind === "inline"
      ? defineTask("demo.a", async (context) => (await work(context)) as null, options)
      : defineIsolatedTask("demo.a", MODULE, { ...options, exportName: "work" });
  const rig = aWorkerRig([task], { isolates, queue: "parents" });
  await rig.worker.start();
  const id = await rig.stem.enqueue("demo.a", { ...parent, options, enqueueOptions: { taskId: "p1" } });
  await rig.settle();
  const status = await rig.backend.get(id);
  const children = rig.broker.consume({ queues: ["default"] }, { prefetch: 1 });
  const next = children.next();
  await rig.settle();
  await children.return();
  const child = (await next).value?.envelope;
  const { stack, ...error }: Partial<TaskError> = status?.error ?? {};
  return {
    state: status?.state,
    payload: status?.payload,
    meta: status?.meta,
    error,
    // Only the frames differ, as the two were called from different places.
    stack: stack?.replace(SOURCES, ""),
    child,
    events: rig.events.map(({ at: _at, ...event }) => ("error" in event ? { type: event.type } : event)),
  };
}

async function expectTheSame(work: Work, parent?: EnqueueOptions) {
  const inline = await outcomeOf("inline", work, parent);
  const isolated = await outcomeOf("isolated", work, parent);
  expect(isolated).toEqual(inline);
  return isolated;
}

describe("A handler in a thread, compared with one in the worker's own", () => {
  it("sees the same task, and gives the same result", async () => {
    const work: Work = ({ id, name, queue, attempt, deliveries, fence, args, headers, meta, signal }) => {
      const { aborted } = signal;
      return { id, name, queue, attempt, deliveries, fence, args, headers, meta, aborted, zero: -0, text: "\u{1f600}" };
    };
    const { state, payload } = await expectTheSame(work, {
      args: { n: -0, list: [1, null, { deep: true }] },
      headers: { tenant: "t1" },
      meta: { own: 1 },
    });

    expect(state).toBe("succeeded");
    expect(payload).toMatchObject({ id: "p1", args: { n: -0 }, headers: { tenant: "t1" }, zero: -0 });
  });

  it.each([
    ["nothing", () => undefined],
    ["a text", () => "text"],
    ["null", () => null],
    ["a rejection", () => Promise.reject(new RangeError("late"))],
    ["an explicit retry", (context: TaskContext) => context.retry({ countdown: 77, maxRetries: 3 })],
    ["a retry that asks for nonsense", (context: TaskContext) => context.retry({ countdown: -1 })],
    ["a retry too many", (context: TaskContext) => context.retry({ maxRetries: 0 })],
  ])("ends in the same way with %s", async (_what, work) => {
    await expectTheSame(work);
  });

  it.each(throwables())("fails in the same way by throwing $label", async ({ make }) => {
    const { state } = await expectTheSame(() => {
      throw make();
    });

    expect(state).toBe("retried");
  });

  it.each(UNSTORABLE)("fails in the same way with a result that holds $label", async ({ make }) => {
    const { error } = await expectTheSame(() => ({ value: make() }));

    expect(error).toMatchObject({ type: "PayloadNotSerializableError" });
  });

  it("stores null for a result that nobody wants", async () => {
    const { payload } = await expectTheSame(() => new Map(), { meta: { "stem.ignoreResult": true } });

    expect(payload).toBeNull();
  });

  it("tells its progress and that it is alive", async () => {
    const { events } = await expectTheSame((context) => {
      context.progress(0.25);
      context.heartbeat();
      context.progress(1, { done: ["a"] });
    });

    expect(events.map(({ type }) => type)).toEqual(["started", "progress", "heartbeat", "progress", "completed"]);
    expect(events[3]).toMatchObject({ fraction: 1, data: { done: ["a"] } });
  });

  it.each([2, -0.1, Number.NaN, "1"])("is refused a progress of %s", async (fraction) => {
    const { error } = await expectTheSame((context) => context.progress(fraction as number));

    expect(error).toMatchObject({ type: "InvalidOptionError" });
  });

  it("enqueues children with the same lineage", async () => {
    const { payload, child } = await expectTheSame(
      ({ enqueue }) => enqueue("demo.child", { args: { n: -0 }, enqueueOptions: { priority: 3 } }),
      { headers: { traceparent: "00-trace" }, meta: { "stem.rootTaskId": "r1" } },
    );

    expect(payload).toBe("child-1");
    expect(child).toMatchObject({
      priority: 3,
      args: { n: -0 },
      headers: { traceparent: "00-trace" },
      meta: { "stem.parentTaskId": "p1", "stem.rootTaskId": "r1" },
    });
  });

  it("enqueues through the context as a typed task does, without waiting for the answer", async () => {
    const childTask = defineTask("demo.child", async (_context, args: { n: number }) => args.n);
    const { child } = await expectTheSame((context) => {
      void childTask.enqueue({ enqueue: context.spawn }, { n: 1 });
    });

    expect(child?.args).toEqual({ n: 1 });
  });

  class Money {
    readonly amount = 5;
  }

  it.each<[string, string, EnqueueOptions | null]>([
    ["a name that is none", "a b", {}],
    ["an option that is none", "demo.child", { retries: 3 } as EnqueueOptions],
    ["no options", "demo.child", null],
    ["arguments that are an instance", "demo.child", { args: new Money() as never }],
    ["arguments that hold an instance", "demo.child", { args: { price: new Money() as never } }],
    ["arguments that hold a function", "demo.child", { args: { price: (() => 5) as never } }],
    ["arguments that are a list", "demo.child", { args: [] as never }],
    ["meta that holds NaN", "demo.child", { meta: { n: Number.NaN } }],
    ["a header that is a number", "demo.child", { headers: { n: 1 as never } }],
    [
      "a linked call with an instance",
      "demo.child",
      { enqueueOptions: { link: [{ name: "demo.next", args: { price: new Money() as never } }] } },
    ],
  ])("is refused to enqueue with %s", async (_what, name, options) => {
    const inline = await outcomeOf("inline", (context) => context.enqueue(name, options as EnqueueOptions));
    const isolated = await outcomeOf("isolated", (context) => context.enqueue(name, options as EnqueueOptions));

    expect(isolated.error).toMatchObject({ type: inline.error.type, meta: inline.error.meta });
    expect(isolated.state).toBe("retried");
    expect(isolated.child).toBeUndefined();
  });

  it("prolongs its lease, and is told when that is refused", async () => {
    const { payload } = await expectTheSame(async (context) => {
      await context.extendLease(60_000);
      return context.extendLease(0).catch((error: Error) => error.name);
    });

    expect(payload).toBe("InvalidOptionError");
  });
});

describe("A handler in a thread", () => {
  it("is run again after a failure, as every attempt, with the same id", async () => {
    const seen: number[] = [];
    const work = ({ attempt }: TaskContext): number => {
      seen.push(attempt);
      if (attempt < 2) throw new Error("not yet");
      return attempt;
    };
    const { worker, stem, clock } = anIsolateRig(work);
    await worker.start();
    const id = await stem.enqueue("demo.a", { options: { maxRetries: 2 } });
    await clock.advance(3 * RETRY_MS);

    expect((await stem.waitForTask(id)).value).toBe(2);
    expect(seen).toEqual([0, 1, 2]);
  });

  it("has its context fail once it has ended", async () => {
    let kept: TaskContext | undefined;
    const { worker, stem, settle, events } = anIsolateRig((context) => {
      kept = context;
    });
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    const before = events.length;

    expect(() => kept?.heartbeat()).toThrow(/is closed/);
    expect(() => kept?.progress(1)).toThrow(/is closed/);
    await expect(kept?.enqueue("demo.child")).rejects.toThrow(/is closed/);
    await settle();
    expect(events).toHaveLength(before);
  });
});
