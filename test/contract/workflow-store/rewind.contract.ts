import { describe, expect, it } from "vitest";
import { aRun, anError, aStep, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Runs that go on from an earlier point, or after their end. */
export function describeRewindAndResume(open: OpenWorkflowStoreFixture): void {
  describe("rewindToStep", () => {
    it(
      "deletes a step and all after it in order, not by name, and has the run go on",
      onBench(open, async (bench) => {
        await bench.withSteps("r1", "z", "b", "a", "c");
        expect(await bench.store.rewindToStep("r1", "b")).toBe(true);
        expect(await bench.stepNames("r1")).toEqual(["z"]);
        const run = await bench.run("r1");
        expect(run).toMatchObject({ status: "running", cursor: 1, continuation: 2 });
        expect(run).not.toHaveProperty("ownerId");
        expect(await bench.due()).toEqual(["r1:2:replay"]);
        const { claim } = await bench.claim("r1", { continuation: 2 });
        await bench.save(claim, aStep("b", "new"));
        expect(await bench.stepNames("r1")).toEqual(["z", "b"]);
      }),
    );

    it(
      "goes back to the first iteration of a step by its base name, or to one of them",
      onBench(open, async (bench) => {
        const repeats = Array.from({ length: 11 }, (_, index) => `repeat#${index}`);
        await bench.withSteps("r1", "a", ...repeats, "b");
        await bench.store.rewindToStep("r1", "repeat#2");
        expect(await bench.stepNames("r1")).toEqual(["a", "repeat#0", "repeat#1"]);
        await bench.store.rewindToStep("r1", "repeat");
        expect(await bench.stepNames("r1")).toEqual(["a"]);
        expect((await bench.run("r1")).cursor).toBe(1);
      }),
    );

    it(
      "counts, and deletes what is inside of the step, or of its iteration, as well",
      onBench(open, async (bench) => {
        const names = ["a", "ab/x", "b/start", "b", "l//0/nap#0", "l#0", "l//1/nap#0", "l#1"];
        await bench.withSteps("r1", ...names);
        await bench.store.rewindToStep("r1", "l#1");
        expect(await bench.stepNames("r1")).toEqual(names.slice(0, 6));
        await bench.store.rewindToStep("r1", "l");
        expect(await bench.stepNames("r1")).toEqual(names.slice(0, 4));
        await bench.store.rewindToStep("r1", "b");
        expect(await bench.stepNames("r1")).toEqual(["a", "ab/x"]);
        expect((await bench.run("r1")).rewinds).toBe(3);
      }),
    );

    it(
      "takes an ended run back",
      onBench(open, async (bench) => {
        await bench.store.markCompleted(await bench.withSteps("done", "a"), 1);
        await bench.store.markFailed(await bench.withSteps("failed", "a"), anError());
        await bench.withSteps("cancelled", "a");
        await bench.store.cancel("cancelled");
        for (const runId of ["done", "failed", "cancelled"]) {
          expect(await bench.store.rewindToStep(runId, "a")).toBe(true);
          const run = await bench.run(runId);
          expect(run).toMatchObject({ status: "running", cursor: 0, continuation: 2, continuationAt: bench.in(0) });
          for (const gone of ["result", "lastError", "endedAt", "cancellationData", "cancelRequested"]) {
            expect(run).not.toHaveProperty(gone);
          }
        }
        await bench.clock.advance(1_000_000);
        expect(await bench.store.prune()).toBe(0);
        await bench.claim("done", { continuation: 2 });
      }),
    );

    it(
      "ends what a suspended run waits for, and gives it no event a second time",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a");
        await bench.store.emit("t", "had");
        await bench.store.suspend(claim, [{ step: "e", kind: "event", topic: "t" }]);
        const wait = { step: "f", kind: "event", topic: "t", resumeAt: bench.in(50) } as const;
        await bench.store.suspend((await bench.claim("r1")).claim, [wait]);
        expect(await bench.store.rewindToStep("r1", "f")).toBe(false);
        expect(await bench.store.rewindToStep("r1", "e")).toBe(true);
        expect(await bench.store.listWatchers("t")).toEqual([]);
        await bench.store.suspend((await bench.claim("r1")).claim, [{ step: "e", kind: "event", topic: "t" }]);
        expect((await bench.run("r1")).waits).toMatchObject([{ step: "e" }]);
        await bench.store.emit("t", "new");
        expect((await bench.claim("r1")).steps).toMatchObject([{ name: "a" }, { value: { payload: "new" } }]);
      }),
    );

    it(
      "says no to what is not there, and changes nothing",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a");
        expect(await bench.store.rewindToStep("r1", "b")).toBe(false);
        expect(await bench.store.rewindToStep("r1", "a#0")).toBe(false);
        expect(await bench.store.rewindToStep("nobody", "a")).toBe(false);
        await bench.save(claim, aStep("b"));
      }),
    );
  });

  describe("resumeRun", () => {
    it(
      "tries the step again that the run failed by, and keeps what was done, failures that were caught included",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a");
        await bench.save(claim, aStep("caught", null, { error: anError() }));
        await bench.save(claim, aStep("b/start"));
        await bench.save(claim, aStep("b", null, { error: anError() }));
        await bench.save(claim, aStep("c", 3));
        await bench.save(claim, aStep("failed", null, { kind: "failure" }));
        await bench.save(claim, aStep("a/compensation", null, { kind: "compensation", error: anError() }));
        await bench.store.markFailed(claim, { ...anError(), meta: { failedStep: "b" } });
        expect(await bench.store.resumeRun("r1")).toBe(true);
        expect(await bench.stepNames("r1")).toEqual(["a", "caught", "c"]);
        const run = await bench.run("r1");
        expect(run).toMatchObject({ status: "running", continuation: 2 });
        expect(run).not.toHaveProperty("lastError");
        expect(run).not.toHaveProperty("endedAt");
        expect(await bench.due()).toEqual(["r1:2:manual"]);
        const { claim: next } = await bench.claim("r1", { continuation: 2 });
        await bench.save(next, aStep("b", 2));
        expect((await bench.store.listSteps("r1")).map(({ name, position }) => [name, position])).toEqual([
          ["a", 0],
          ["caught", 1],
          ["c", 2],
          ["b", 3],
        ]);
        expect((await bench.run("r1")).rewinds).toBe(0);
      }),
    );

    it(
      "does anew what was undone, and all that came after it",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a", "l//0/nap#0", "l#0", "b", "c");
        await bench.save(claim, aStep("failed", null, { kind: "failure" }));
        await bench.save(claim, aStep("c/compensation", null, { kind: "compensation" }));
        await bench.save(claim, aStep("l//0/compensation", null, { kind: "compensation" }));
        await bench.store.markFailed(claim, anError());
        expect(await bench.store.resumeRun("r1")).toBe(true);
        expect(await bench.stepNames("r1")).toEqual(["a", "l//0/nap#0"]);
        expect((await bench.run("r1")).rewinds).toBe(1);
      }),
    );

    it(
      "takes a cancelled run back, and no other",
      onBench(open, async (bench) => {
        await bench.start("cancelled");
        await bench.store.cancel("cancelled");
        await bench.store.markCompleted(await bench.start("done"), 1);
        await bench.start("held");
        await bench.suspended("asleep", [{ step: "nap", kind: "sleep", resumeAt: bench.in(1) }]);
        await bench.store.createRun(aRun("new"));
        const asked = ["cancelled", "done", "held", "asleep", "new", "nobody"];
        expect(await Promise.all(asked.map((runId) => bench.store.resumeRun(runId)))).toEqual([
          true,
          false,
          false,
          false,
          false,
          false,
        ]);
        expect(await bench.run("cancelled")).not.toHaveProperty("cancellationData");
      }),
    );
  });
}
