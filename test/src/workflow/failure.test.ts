import { describe, expect, it } from "vitest";
import { WorkflowScript } from "../../../src/workflow/workflow-script.ts";
import { aWorkflowRig, Mishap } from "./workflow-rig.ts";

const NO_RETRY = { retryPolicy: { maxRetries: 0 } };
const fail = (): never => {
  throw new Mishap("no");
};

describe("A run that fails", () => {
  it("undoes what it did, the last step first, each with what the step returned", async () => {
    const undone: unknown[] = [];
    const script = new WorkflowScript({
      name: "saga",
      async run(s) {
        const undo = (_: unknown, result: unknown): void => void undone.push(result);
        await s.step("a", () => "A", { compensate: undo });
        await s.sleep(1_000);
        await s.step("b", () => "B", { compensate: undo });
        await s.step("c", fail, { ...NO_RETRY, compensate: undo });
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.advance(1_000);
    expect((await rig.end(runId)).status).toBe("failed");
    expect(undone).toEqual(["B", "A"]);
    expect(await rig.steps(runId)).toEqual(["a", "/sleep#0", "b", "c", "/failure", "b/compensation", "a/compensation"]);
  });

  it("may wait in a compensation", async () => {
    const undone: string[] = [];
    const script = new WorkflowScript({
      name: "saga",
      async run(s) {
        await s.step("a", () => 1, {
          async compensate(context) {
            await context.sleep(1_000);
            undone.push("a");
          },
        });
        await s.step("b", fail, NO_RETRY);
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.end(runId)).status).toBe("failed");
    expect(undone).toEqual(["a"]);
  });

  it("tries a compensation again, and goes on with the others when one fails for good", async () => {
    const undone: string[] = [];
    const script = new WorkflowScript({
      name: "saga",
      async run(s) {
        await s.step("a", () => 1, { compensate: () => void undone.push("a") });
        await s.step("b", () => 2, {
          retryPolicy: { maxRetries: 1, defaultDelay: 500 },
          compensate: ({ attempt }) => {
            undone.push(`b${attempt}`);
            throw new Mishap("cannot");
          },
        });
        await s.step("c", fail, NO_RETRY);
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.advance(500);
    const { state } = await rig.end(runId);
    expect(undone).toEqual(["b0", "b1", "a"]);
    expect(state.lastError?.message).toContain('Step "c" failed');
    expect(state.lastError?.meta).toEqual(expect.objectContaining({ uncompensated: ["b"] }));
    expect(rig.logger.records.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  it("may be caught by its code, the same at each replay", async () => {
    const caught: unknown[] = [];
    const script = new WorkflowScript({
      name: "catching",
      async run(s) {
        try {
          await s.step("a", fail, NO_RETRY);
        } catch (error) {
          caught.push((error as Error).message);
        }
        await s.sleep(1_000);
        return s.step("b", () => "went on");
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe("went on");
    expect(caught).toEqual(['Step "a" failed: Mishap: no', 'Step "a" failed: Mishap: no']);
  });

  it("goes on from its checkpoints when it is resumed", async () => {
    let isBroken = true;
    let firsts = 0;
    const script = new WorkflowScript({
      name: "mended",
      async run(s) {
        await s.step("a", () => (firsts += 1));
        return s.step("b", () => (isBroken ? fail() : "mended"), NO_RETRY);
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect((await rig.end(runId)).status).toBe("failed");
    isBroken = false;
    expect(await rig.app.resumeRun(runId)).toBe(true);
    await rig.settle();
    expect((await rig.end(runId)).value).toBe("mended");
    expect(firsts).toBe(1);
    expect(await rig.app.resumeRun(runId)).toBe(false);
  });

  it("does anew what was undone when it is resumed", async () => {
    let isBroken = true;
    const done: string[] = [];
    const script = new WorkflowScript({
      name: "redone",
      async run(s) {
        await s.step("a", () => void done.push("a"));
        await s.step("b", () => void done.push("b"), { compensate: () => void done.push("undo b") });
        return s.step("c", () => (isBroken ? fail() : "mended"), NO_RETRY);
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    isBroken = false;
    await rig.app.resumeRun(runId);
    await rig.settle();
    expect((await rig.end(runId)).value).toBe("mended");
    expect(done).toEqual(["a", "b", "undo b", "b"]);
  });

  it("goes on from an earlier step when it is rewound", async () => {
    const runs: string[] = [];
    const script = new WorkflowScript({
      name: "rewound",
      async run(s) {
        await s.step("b", () => void runs.push("b"));
        await s.step("a", () => void runs.push("a"));
        await s.step("c", () => void runs.push("c"));
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect(await rig.app.rewindToStep(runId, "a")).toBe(true);
    await rig.settle();
    expect((await rig.end(runId)).status).toBe("completed");
    expect(runs).toEqual(["b", "a", "c", "a", "c"]);
    expect(await rig.app.rewindToStep(runId, "unknown")).toBe(false);
  });
});

describe("A run that is cancelled", () => {
  it("ends at once", async () => {
    const script = new WorkflowScript({
      name: "long",
      async run(s) {
        await s.step("a", () => 1, { compensate: fail });
        await s.sleep(86_400_000);
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect(await rig.app.cancelWorkflow(runId, { reason: "changed my mind" })).toBe(true);
    const { status, state } = await rig.end(runId);
    expect(status).toBe("cancelled");
    expect(state.cancellationData).toMatchObject({ reason: "changed my mind" });
    expect(await rig.app.cancelWorkflow(runId)).toBe(false);
    await rig.settle();
    expect(await rig.broker.pendingCount("workflow")).toBe(0);
  });

  it("undoes what it did when it is asked to", async () => {
    const undone: string[] = [];
    const script = new WorkflowScript({
      name: "long",
      async run(s) {
        await s.step("a", () => 1, { compensate: () => void undone.push("a") });
        await s.sleep(86_400_000);
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect(await rig.app.cancelWorkflow(runId, { compensate: true })).toBe(true);
    await rig.settle();
    expect((await rig.end(runId)).status).toBe("cancelled");
    expect(undone).toEqual(["a"]);
  });

  it("finishes and undoes the step that is under way", async () => {
    const undone: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const script = new WorkflowScript({
      name: "busy",
      async run(s) {
        await s.step("a", () => held.then(() => "A"), { compensate: () => void undone.push("a") });
        await s.step("b", () => "B");
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect(await rig.app.cancelWorkflow(runId, { compensate: true })).toBe(true);
    await rig.settle();
    release();
    await rig.settle();
    expect((await rig.end(runId)).status).toBe("cancelled");
    expect(undone).toEqual(["a"]);
    expect(await rig.steps(runId)).not.toContain("b");
  });

  it("is, by its policy, while it works and while it waits", async () => {
    const busy = new WorkflowScript({
      name: "busy",
      async run(s) {
        await s.step(
          "a",
          ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
        );
      },
    });
    const idle = new WorkflowScript({ name: "idle", run: (s) => s.waitForEvent("never") });
    const rig = await aWorkflowRig([busy, idle]);
    const first = await busy.start(rig.app, { cancellationPolicy: { maxRunDuration: 5_000 } });
    const second = await idle.start(rig.app, { cancellationPolicy: { maxSuspendDuration: 5_000 } });
    await rig.settle();
    await rig.advance(5_000);
    await rig.advance(1_000);
    for (const runId of [first, second]) expect((await rig.end(runId)).status).toBe("cancelled");
    expect((await rig.end(first)).state.cancellationData).toMatchObject({ policy: "maxRunDuration", limitMs: 5_000 });
    expect((await rig.end(second)).state.cancellationData).toMatchObject({ policy: "maxSuspendDuration" });
  });
});
