import { describe, expect, it } from "vitest";
import type { WorkflowStepEntry } from "../../../src/contracts/workflow-store.ts";
import { aRun, anError, LEASE, aStep, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";
import type { WorkflowStoreBench } from "./workflow-store-bench.ts";

const values = (steps: readonly WorkflowStepEntry[]): unknown[] => steps.map(({ name, value }) => [name, value]);

/** A run that waits for the runs `c1`, `c2` and `c3`, which it has created. */
async function parent(bench: WorkflowStoreBench): Promise<void> {
  const claim = await bench.start("p");
  for (const runId of ["c1", "c2", "c3"]) {
    const child = aRun(runId, { parentRunId: "p" });
    await bench.store.saveStep(claim, aStep(`start-${runId}`), { leaseDuration: LEASE, child });
  }
  const waits = ["c1", "c2", "c3"].map((topic) => ({ step: `of-${topic}`, kind: "child" as const, topic }));
  await bench.store.suspend(claim, waits);
}

/** Waiting for runs and for tasks. */
export function describeChildrenAndTasks(open: OpenWorkflowStoreFixture): void {
  describe("a wait for a run", () => {
    it(
      "ends with it, whichever way that ends",
      onBench(open, async (bench) => {
        await parent(bench);
        await bench.store.markCompleted((await bench.claim("c1")).claim, { sum: 1 });
        expect(await bench.due()).toContain("p:3:event");
        await bench.clock.advance(1);
        await bench.store.markFailed((await bench.claim("c2")).claim, anError("bad"));
        await bench.store.cancel("c3");
        const { steps } = await bench.claim("p", { continuation: 3 });
        expect(values(steps.slice(3))).toEqual([
          ["of-c1", { outcome: "child", status: "completed", result: { sum: 1 } }],
          ["of-c2", { outcome: "child", status: "failed", error: anError("bad") }],
          ["of-c3", { outcome: "child", status: "cancelled" }],
        ]);
        expect(steps.slice(3).map(({ kind }) => kind)).toEqual(["child", "child", "child"]);
      }),
    );

    it(
      "ends at once when that has ended already",
      onBench(open, async (bench) => {
        await bench.store.markCompleted(await bench.start("c"), null);
        await bench.clock.advance(10);
        await bench.suspended("p", [
          { step: "a", kind: "child", topic: "c" },
          { step: "b", kind: "child", topic: "c", resumeAt: bench.in(-5) },
          { step: "c", kind: "child", topic: "c", resumeAt: bench.in(-10) },
          { step: "d", kind: "child", topic: "unknown" },
        ]);
        expect(await bench.due()).toEqual(["p:2:event"]);
        const { steps, waits } = await bench.claim("p", { continuation: 2 });
        const found = { outcome: "child", status: "completed", result: null };
        expect(values(steps)).toEqual([
          ["c", { outcome: "deadline" }],
          ["a", found],
          ["b", found],
        ]);
        expect(waits.map(({ step }) => step)).toEqual(["d"]);
      }),
    );

    it(
      "is given up at its deadline",
      onBench(open, async (bench) => {
        await bench.store.createRun(aRun("c"));
        await bench.suspended("p", [{ step: "a", kind: "child", topic: "c", resumeAt: bench.in(10) }]);
        await bench.clock.advance(10);
        await bench.store.markCompleted((await bench.claim("c")).claim, 1);
        expect(values((await bench.claim("p", { continuation: 2 })).steps)).toEqual([["a", { outcome: "deadline" }]]);
      }),
    );
  });

  describe("a wait for tasks", () => {
    const end = (index: number, change = {}) => ({ runId: "r", step: "fan", index, value: `v${index}`, ...change });

    it(
      "ends with the last of them, their ends in the order of their indices",
      onBench(open, async (bench) => {
        await bench.suspended("r", [{ step: "fan", kind: "tasks", expected: 3 }]);
        expect((await bench.run("r")).waits).toMatchObject([{ kind: "tasks", expected: 3 }]);
        await bench.store.recordTaskEnd(end(2));
        await bench.store.recordTaskEnd(end(0, { value: null, error: anError() }));
        await bench.store.recordTaskEnd(end(2, { value: "again" }));
        await bench.store.recordTaskEnd(end(7));
        expect(await bench.due()).toEqual([]);
        await bench.store.recordTaskEnd(end(1));
        expect(await bench.due()).toEqual(["r:3:event"]);
        const ends = [{ value: null, error: anError() }, { value: "v1" }, { value: "v2" }];
        const { steps } = await bench.claim("r", { continuation: 3 });
        expect(values(steps)).toEqual([["fan", { outcome: "tasks", ends }]]);
        expect(steps[0]?.kind).toBe("tasks");
        await bench.store.recordTaskEnd(end(1));
      }),
    );

    it(
      "counts those that ended before it began",
      onBench(open, async (bench) => {
        const claim = await bench.start("r");
        await bench.store.recordTaskEnd(end(0));
        await bench.store.recordTaskEnd(end(1));
        await bench.store.suspend(claim, [{ step: "fan", kind: "tasks", expected: 2 }]);
        expect(await bench.due()).toEqual(["r:2:event"]);
        const ends = [{ value: "v0" }, { value: "v1" }];
        expect(values((await bench.claim("r")).steps)).toEqual([["fan", { outcome: "tasks", ends }]]);
      }),
    );

    it(
      "is over at once without tasks, and given up at its deadline",
      onBench(open, async (bench) => {
        await bench.suspended("r", [
          { step: "fan", kind: "tasks", expected: 2, resumeAt: bench.in(10) },
          { step: "none", kind: "tasks", expected: 0 },
        ]);
        const { claim, steps } = await bench.claim("r", { continuation: 2 });
        expect(values(steps)).toEqual([["none", { outcome: "tasks", ends: [] }]]);
        await bench.store.suspend(claim, []);
        await bench.store.recordTaskEnd(end(0));
        await bench.clock.advance(10);
        await bench.store.recordTaskEnd(end(1));
        const next = await bench.claim("r", { continuation: 3 });
        expect(values(next.steps).at(-1)).toEqual(["fan", { outcome: "deadline" }]);
      }),
    );

    it(
      "takes no notice of unknown and ended runs, and of steps that have their checkpoint",
      onBench(open, async (bench) => {
        await bench.store.recordTaskEnd(end(0, { runId: "nobody" }));
        const claim = await bench.withSteps("r", "fan");
        await bench.store.recordTaskEnd(end(0));
        expect(await bench.store.readStep("r", "fan")).toBe("of fan");
        await bench.store.markCompleted(claim, 1);
        const before = await bench.run("r");
        await bench.store.recordTaskEnd(end(0, { step: "other" }));
        expect(await bench.run("r")).toEqual(before);
      }),
    );
  });
}
