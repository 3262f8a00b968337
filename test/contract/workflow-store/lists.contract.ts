import { describe, expect, it } from "vitest";
import type { ListRunsRequest } from "../../../src/contracts/workflow-store.ts";
import { aRun, aStep, LEASE, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Lists of runs. */
export function describeLists(open: OpenWorkflowStoreFixture): void {
  describe("listRuns", () => {
    it(
      "gives the latest change first, then by id, page by page",
      onBench(open, async (bench) => {
        for (const runId of ["b", "a", "c"]) await bench.store.createRun(aRun(runId));
        await bench.clock.advance(1);
        await bench.store.createRun(aRun("d"));
        await bench.clock.advance(1);
        await bench.save((await bench.claim("b")).claim, aStep("s"));
        const page = async (request?: ListRunsRequest) => {
          const { runs, ...rest } = await bench.store.listRuns(request);
          return { ids: runs.map(({ runId }) => runId).join(""), ...rest };
        };
        expect(await page()).toEqual({ ids: "bdac" });
        expect(await page({ limit: 2 })).toEqual({ ids: "bd", nextOffset: 2 });
        expect(await page({ limit: 2, offset: 2 })).toEqual({ ids: "ac" });
        expect(await page({ limit: 2, offset: 1 })).toEqual({ ids: "da", nextOffset: 3 });
        expect(await page({ offset: 4 })).toEqual({ ids: "" });
        expect(await page({ limit: 0 })).toEqual({ ids: "" });
      }),
    );

    it(
      "filters by workflow, status and parent, all at once",
      onBench(open, async (bench) => {
        await bench.suspended("s1", [{ step: "nap", kind: "sleep", resumeAt: bench.in(9) }], { workflow: "x" });
        await bench.suspended("s2", [{ step: "nap", kind: "sleep", resumeAt: bench.in(9) }], { parentRunId: "s1" });
        await bench.store.createRun(aRun("r1", { workflow: "x", parentRunId: "s1" }));
        await bench.store.markCompleted(await bench.start("d1", { workflow: "x" }), 1);
        const ids = async (request: ListRunsRequest) =>
          (await bench.store.listRuns(request)).runs.map(({ runId }) => runId).sort();
        expect(await ids({ workflow: "x" })).toEqual(["d1", "r1", "s1"]);
        expect(await ids({ status: "suspended" })).toEqual(["s1", "s2"]);
        expect(await ids({ status: "running" })).toEqual(["r1"]);
        expect(await ids({ status: "cancelled" })).toEqual([]);
        expect(await ids({ parentRunId: "s1" })).toEqual(["r1", "s2"]);
        expect(await ids({ parentRunId: "s1", workflow: "x" })).toEqual(["r1"]);
        expect(await ids({ workflow: "unknown" })).toEqual([]);
      }),
    );

    it(
      "gives whole states, waits and all",
      onBench(open, async (bench) => {
        for (const runId of ["r1", "r2"]) {
          await bench.suspended(runId, [
            { step: "nap", kind: "sleep", resumeAt: bench.in(9), data: { of: runId } },
            { step: "e", kind: "event", topic: "t", resumeAt: bench.in(5) },
          ]);
        }
        await bench.withSteps("r3", "a", "b#1", "b#2");
        const { runs } = await bench.store.listRuns();
        expect(runs).toStrictEqual([await bench.run("r1"), await bench.run("r2"), await bench.run("r3")]);
        expect(runs[1]?.waits.map(({ step }) => step)).toEqual(["e", "nap"]);
      }),
    );
  });

  describe("listRunnableRuns", () => {
    it(
      "gives runs that are due and that nobody holds, earliest first",
      onBench(open, async (bench) => {
        await bench.suspended("late", [{ step: "nap", kind: "sleep", resumeAt: bench.in(20) }]);
        await bench.suspended("early", [{ step: "nap", kind: "sleep", resumeAt: bench.in(10) }]);
        await bench.suspended("open", [{ step: "e", kind: "event", topic: "t" }]);
        await bench.start("held");
        await bench.store.createRun(aRun("b"));
        await bench.store.createRun(aRun("a"));
        await bench.store.markCompleted(await bench.start("done"), 1);
        expect(await bench.store.listRunnableRuns()).toEqual(["a", "b"]);
        await bench.clock.advance(20);
        expect(await bench.store.listRunnableRuns()).toEqual(["a", "b", "early", "late"]);
        expect(await bench.store.listRunnableRuns({ limit: 2, offset: 1 })).toEqual(["b", "early"]);
        expect(await bench.store.listRunnableRuns({ limit: 0 })).toEqual([]);
        expect(await bench.store.listRunnableRuns({ offset: 4 })).toEqual([]);
        // To look is not to take.
        expect(await bench.store.listRunnableRuns()).toHaveLength(4);
        await bench.clock.advance(LEASE);
        expect(await bench.store.listRunnableRuns()).toContain("held");
      }),
    );
  });
}
