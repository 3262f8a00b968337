import { describe, expect, it } from "vitest";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { WorkflowScript } from "../../../src/workflow/workflow-script.ts";
import { aWorkflowRig, Mishap } from "./workflow-rig.ts";

const NO_RETRY = { retryPolicy: { maxRetries: 0 } };
const fail = (): never => {
  throw new Mishap("no");
};

describe("Children and tasks of a run", () => {
  it("gives the result of a child, which is started once", async () => {
    const child = new WorkflowScript<number, { n: number }>({
      name: "child",
      async run(s) {
        await s.sleep(1_000);
        return s.params.n * 2;
      },
    });
    const parent = new WorkflowScript({
      name: "parent",
      async run(s) {
        const one = await s.child("one", child, { n: 21 });
        await s.sleep(1_000);
        return one;
      },
    });
    const rig = await aWorkflowRig([parent, child]);
    const runId = await parent.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe(42);
    const { runs } = await rig.app.listRunViews({ workflow: "child" });
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ parentRunId: runId, status: "completed" });
  });

  it("throws when a child fails, and cancels children with their parent", async () => {
    const child = new WorkflowScript<void, { fails: boolean }>({
      name: "child",
      async run(s) {
        if (s.params.fails) await s.step("a", fail, NO_RETRY);
        await s.sleep(86_400_000);
      },
    });
    const parent = new WorkflowScript<string, { fails: boolean }>({
      name: "parent",
      async run(s) {
        try {
          await s.child("one", child, { fails: s.params.fails });
        } catch (error) {
          return (error as Error).name;
        }
        return "no error";
      },
    });
    const rig = await aWorkflowRig([parent, child]);
    const failing = await parent.start(rig.app, { params: { fails: true } });
    const waiting = await parent.start(rig.app, { params: { fails: false } });
    await rig.settle();
    expect((await rig.end(failing)).value).toBe("WorkflowFailedError");
    await rig.app.cancelWorkflow(waiting);
    await rig.settle();
    const { runs } = await rig.app.listRunViews({ parentRunId: waiting });
    expect(runs.map(({ status }) => status)).toEqual(["cancelled"]);
  });

  it("goes on when all of a hundred tasks have ended, each run once", async () => {
    const runs = new Map<number, number>();
    const square = defineTask("square", (_, { n }: { n: number }) => {
      runs.set(n, (runs.get(n) ?? 0) + 1);
      if (n === 13) throw new Mishap("unlucky");
      return n * n;
    });
    const script = new WorkflowScript({
      name: "fan",
      async run(s) {
        const requests = Array.from({ length: 100 }, (_, n) => ({ name: "square", args: { n } }));
        const outcomes = await s.tasks("squares", requests);
        await s.sleep(1_000);
        return outcomes.map(({ status, value, error }) => (status === "succeeded" ? value : error?.type));
      },
    });
    const rig = await aWorkflowRig([script], { tasks: [square] });
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    const expected = Array.from({ length: 100 }, (_, n) => (n === 13 ? "Mishap" : n * n));
    expect((await rig.end(runId)).value).toEqual(expected);
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
  });

  it("enqueues tasks anew when they are rewound, and does not when the run is resumed", async () => {
    const ids: string[] = [];
    const note = defineTask("note", ({ id }) => void ids.push(id));
    const script = new WorkflowScript({
      name: "fan",
      async run(s) {
        await s.tasks("notes", [{ name: "note" }, { name: "note" }]);
        await s.sleep(1_000);
      },
    });
    const rig = await aWorkflowRig([script], { tasks: [note] });
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.app.rewindToStep(runId, "notes");
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.end(runId)).status).toBe("completed");
    expect(ids).toEqual([`${runId}/notes/0`, `${runId}/notes/1`, `${runId}//1/notes/0`, `${runId}//1/notes/1`]);
  });

  it("finds the ends of tasks that came while the run was cancelled", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let runs = 0;
    const slow = defineTask("slow", async () => {
      runs += 1;
      await held;
      return runs;
    });
    const script = new WorkflowScript({ name: "fan", run: (s) => s.tasks("one", [{ name: "slow" }]) });
    const rig = await aWorkflowRig([script], { tasks: [slow] });
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.app.cancelWorkflow(runId);
    release();
    await rig.settle();
    await rig.app.resumeRun(runId);
    await rig.settle();
    expect((await rig.end(runId)).value).toMatchObject([{ status: "succeeded", value: 1 }]);
    expect(runs).toBe(1);
  });

  it("starts a child anew, and waits anew, when the step is rewound", async () => {
    const child = new WorkflowScript({ name: "child", run: (s) => s.step("a", () => s.runId) });
    const parent = new WorkflowScript({
      name: "parent",
      async run(s) {
        await s.step("ask", async (context) => (await context.waitForEvent("answer")) ?? "none");
        return s.child("one", child, {});
      },
    });
    const rig = await aWorkflowRig([parent, child]);
    const runId = await parent.start(rig.app);
    await rig.settle();
    await rig.app.emit("answer", "first");
    await rig.settle();
    const first = (await rig.end(runId)).value;
    await rig.app.rewindToStep(runId, "one");
    await rig.settle();
    expect((await rig.end(runId)).value).not.toBe(first);
    await rig.app.rewindToStep(runId, "ask");
    await rig.settle();
    expect(await rig.store.get(runId)).toMatchObject({ status: "suspended", rewinds: 2, waits: [{ topic: "answer" }] });
    await rig.app.emit("answer", "second");
    await rig.settle();
    expect(await rig.store.readStep(runId, "ask")).toBe("second");
  });

  it("gives up on tasks after a while", async () => {
    const script = new WorkflowScript({
      name: "fan",
      async run(s) {
        try {
          await s.tasks("slow", [{ name: "nobody.knows", enqueueOptions: { queue: "elsewhere" } }], { timeout: 2_000 });
        } catch (error) {
          return (error as Error).name;
        }
        return "no error";
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.advance(2_000);
    expect((await rig.end(runId)).value).toBe("TimeoutError");
  });

  it("enqueues the tasks of a step once, however often the step runs", async () => {
    const seen: unknown[] = [];
    const note = defineTask("note", ({ id, meta }) => void seen.push([id, meta["stem.workflow.step"]]));
    let runs = 0;
    const script = new WorkflowScript({
      name: "noting",
      async run(s) {
        await s.step(
          "tell",
          async (context) => {
            runs += 1;
            await context.enqueue("note");
            if (runs === 1) throw new Mishap("after it");
          },
          { retryPolicy: { defaultDelay: 1_000, maxRetries: 3 } },
        );
      },
    });
    const rig = await aWorkflowRig([script], { tasks: [note] });
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    await rig.end(runId);
    expect(runs).toBe(2);
    expect(seen).toEqual([[`${runId}/tell/0`, "tell"]]);
  });
});
