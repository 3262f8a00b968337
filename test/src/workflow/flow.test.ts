import { describe, expect, it } from "vitest";
import { Flow } from "../../../src/workflow/flow.ts";
import { aWorkflowRig, Mishap } from "./workflow-rig.ts";

describe("A Flow", () => {
  it("runs its steps in order, each once, and results in what the last one returns", async () => {
    const seen: unknown[] = [];
    const flow = new Flow({
      name: "three",
      build: (steps) =>
        steps
          .step("one", (context) => {
            seen.push([context.stepName, context.stepIndex, context.previousResult]);
            return 1;
          })
          .step("two", (context) => {
            seen.push([context.stepName, context.stepIndex, context.previousResult]);
            return { value: 2 };
          })
          .step("three", (context) => {
            seen.push([context.stepName, context.stepIndex, context.previousResult]);
            return "three";
          }),
    });
    const rig = await aWorkflowRig([flow]);
    const runId = await flow.start(rig.app, { params: { a: 1 } });
    await rig.settle();
    const { value, state } = await rig.end(runId);
    expect(value).toBe("three");
    expect(state).toMatchObject({ status: "completed", params: { a: 1 }, cursor: 3, workflow: "three", version: 1 });
    expect(seen).toEqual([
      ["one", 0, null],
      ["two", 1, 1],
      ["three", 2, { value: 2 }],
    ]);
    expect(await rig.steps(runId)).toEqual(["one", "two", "three"]);
    expect(rig.told()).toEqual([
      "started",
      "step-started one",
      "step-completed one",
      "step-started two",
      "step-completed two",
      "step-started three",
      "step-completed three",
      "completed",
    ]);
  });

  it("takes a step that returned nothing for done", async () => {
    let runs = 0;
    const flow = new Flow({
      name: "quiet",
      build: (steps) =>
        steps
          .step("nothing", () => {
            runs += 1;
          })
          .step("nap", (context) => context.sleep(1_000)),
    });
    const rig = await aWorkflowRig([flow]);
    const runId = await flow.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toEqual({ kind: "timer", data: {} });
    expect(runs).toBe(1);
  });

  it("tries a failed step again after its delays, and fails for good when none is left", async () => {
    const attempts: number[] = [];
    const flow = new Flow({
      name: "stubborn",
      build: (steps) =>
        steps.step(
          "fail",
          ({ attempt }) => {
            attempts.push(attempt);
            throw new Mishap("again");
          },
          { retryPolicy: { maxRetries: 2, defaultDelay: 1_000 } },
        ),
    });
    const rig = await aWorkflowRig([flow]);
    const runId = await flow.start(rig.app);
    await rig.settle();
    expect(attempts).toEqual([0]);
    const waiting = await rig.store.get(runId);
    expect(waiting).toMatchObject({ status: "suspended", waits: [{ step: "fail", kind: "retry", attempts: 1 }] });
    await rig.advance(999);
    expect(attempts).toEqual([0]);
    await rig.advance(1);
    await rig.advance(1_000);
    expect(attempts).toEqual([0, 1, 2]);
    const { status, state } = await rig.end(runId);
    expect(status).toBe("failed");
    expect(state.lastError).toMatchObject({ type: "StepFailedError", retryable: false });
    expect(state.lastError?.message).toContain("Mishap: again");
  });

  it("waits inside of a step, which runs again from its beginning", async () => {
    const runs: unknown[] = [];
    const flow = new Flow({
      name: "seed",
      build: (steps) =>
        steps.step("poll", async (context) => {
          const resumed = context.takeResumeData();
          runs.push(resumed);
          if (resumed === null) {
            await context.sleep(5_000, { data: { seen: 1 } });
            throw new Error("never comes here");
          }
          return "done";
        }),
    });
    const rig = await aWorkflowRig([flow]);
    const runId = await flow.start(rig.app);
    await rig.settle();
    await rig.advance(5_000);
    expect((await rig.end(runId)).value).toBe("done");
    expect(runs).toEqual([null, { kind: "timer", data: { seen: 1 } }]);
  });

  it("goes on after unconditional sleeps", async () => {
    let runs = 0;
    const flow = new Flow({
      name: "linear",
      build: (steps) =>
        steps.step("two-naps", async (context) => {
          runs += 1;
          await context.sleep(1_000);
          await context.sleep(2_000);
          return runs;
        }),
    });
    const rig = await aWorkflowRig([flow]);
    const runId = await flow.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.store.get(runId))?.status).toBe("suspended");
    await rig.advance(2_000);
    expect((await rig.end(runId)).value).toBe(3);
  });

  it("refuses two steps of one name, no steps, and what is no step", () => {
    const twice = (): unknown => new Flow({ name: "f", build: (steps) => steps.step("a", () => 1).step("a", () => 2) });
    expect(twice).toThrow(
      expect.objectContaining({ code: "STEM_INVALID_OPTION", details: expect.objectContaining({ option: "name" }) }),
    );
    expect(() => new Flow({ name: "f", build: () => undefined })).toThrow(
      expect.objectContaining({ code: "STEM_INVALID_OPTION" }),
    );
    expect(() => new Flow({ name: "f", build: (steps) => steps.step("a/b", () => 1) })).toThrow(
      expect.objectContaining({ code: "STEM_INVALID_NAME" }),
    );
    expect(() => new Flow({ name: "f", build: (steps) => steps.step("a", 1 as never) })).toThrow(
      expect.objectContaining({ code: "STEM_INVALID_OPTION" }),
    );
    expect(() => new Flow({ name: "f", version: 0, build: (steps) => steps.step("a", () => 1) })).toThrow(
      expect.objectContaining({ code: "STEM_INVALID_OPTION" }),
    );
  });
});
