import { describe, expect, it } from "vitest";
import { aRun, anError, aStep, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Waiting for time, and for several things at once. */
export function describeSuspend(open: OpenWorkflowStoreFixture): void {
  describe("suspend", () => {
    it(
      "has a run wait until its sleep is over, and uses the claim up",
      onBench(open, async (bench) => {
        const resumeAt = bench.in(5_000);
        const claim = await bench.withSteps("r1", "a");
        await bench.store.suspend(claim, [{ step: "nap", kind: "sleep", resumeAt, data: { why: "tired" } }]);
        const run = await bench.run("r1");
        expect(run).toMatchObject({ status: "suspended", suspendedAt: bench.in(0), continuationAt: resumeAt });
        const wait = { step: "nap", kind: "sleep", resumeAt, data: { why: "tired" }, createdAt: bench.in(0) };
        expect(run.waits).toStrictEqual([wait]);
        expect(run).not.toHaveProperty("ownerId");
        expect(await bench.due()).toEqual([]);
        await bench.clock.advance(4_999);
        expect(await bench.store.listRunnableRuns()).toEqual([]);
        await bench.clock.advance(1);
        expect(await bench.store.listRunnableRuns()).toEqual(["r1"]);
        expect(await bench.due()).toEqual(["r1:2:due"]);
        const { run: next, steps } = await bench.claim("r1", { continuation: 2 });
        expect(next).toMatchObject({ status: "running", waits: [] });
        expect(next).not.toHaveProperty("suspendedAt");
        expect(steps[1]).toStrictEqual({
          name: "nap",
          baseName: "nap",
          position: 1,
          kind: "sleep",
          value: { outcome: "due", data: { why: "tired" } },
          attempts: 1,
          startedAt: bench.in(-5_000),
          endedAt: bench.in(0),
        });
      }),
    );

    it(
      "goes on at the earliest of several ends, and shows them in that order",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [
          { step: "open", kind: "event", topic: "t" },
          { step: "late", kind: "sleep", resumeAt: bench.in(300) },
          { step: "limited", kind: "event", topic: "u", resumeAt: bench.in(200) },
          { step: "early#3", kind: "sleep", resumeAt: bench.in(100) },
        ]);
        const run = await bench.run("r1");
        expect(run.waits.map(({ step }) => step)).toEqual(["early#3", "limited", "late", "open"]);
        expect(run.continuationAt).toEqual(bench.in(100));
        await bench.clock.advance(250);
        const { steps, waits } = await bench.claim("r1", { continuation: 2 });
        expect(steps).toMatchObject([
          { name: "early#3", baseName: "early", iteration: 3, value: { outcome: "due" }, endedAt: bench.in(-150) },
          { name: "limited", kind: "event", value: { outcome: "deadline" }, endedAt: bench.in(-50) },
        ]);
        expect(waits.map(({ step }) => step)).toEqual(["late", "open"]);
      }),
    );

    it(
      "stores what is over in the order of the ends, not of the waits",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [
          { step: "z", kind: "sleep", resumeAt: bench.in(30) },
          { step: "y", kind: "sleep", resumeAt: bench.in(10) },
          { step: "x", kind: "event", topic: "t" },
          { step: "w", kind: "sleep", resumeAt: bench.in(10) },
        ]);
        await bench.clock.advance(20);
        await bench.store.emit("t", 1);
        await bench.clock.advance(20);
        expect((await bench.claim("r1")).steps.map(({ name }) => name)).toEqual(["y", "w", "x", "z"]);
      }),
    );

    it(
      "keeps the waits it had, and leaves those of the same name as they are, but for a retry",
      onBench(open, async (bench) => {
        const retry = { step: "a", kind: "retry", attempts: 1, error: anError("one") } as const;
        await bench.suspended("r1", [
          { ...retry, resumeAt: bench.in(10) },
          { step: "nap", kind: "sleep", resumeAt: bench.in(1_000) },
        ]);
        await bench.clock.advance(10);
        const { claim } = await bench.claim("r1");
        await bench.store.suspend(claim, [
          { ...retry, attempts: 2, error: anError("two"), resumeAt: bench.in(20) },
          { step: "nap", kind: "sleep", resumeAt: bench.in(5) },
          { step: "e", kind: "event", topic: "t" },
        ]);
        const run = await bench.run("r1");
        expect(run.continuationAt).toEqual(bench.in(20));
        expect(run.waits).toStrictEqual([
          { ...retry, attempts: 2, error: anError("two"), resumeAt: bench.in(20), createdAt: bench.in(0) },
          { step: "nap", kind: "sleep", resumeAt: bench.in(990), createdAt: bench.in(-10) },
          { step: "e", kind: "event", topic: "t", createdAt: bench.in(0) },
        ]);
      }),
    );

    it(
      "goes on at once when a wait is over already, has its checkpoint, or nothing is waited for",
      onBench(open, async (bench) => {
        const past = await bench.start("past");
        await bench.store.suspend(past, [
          { step: "nap", kind: "sleep", resumeAt: bench.in(-1) },
          { step: "e", kind: "event", topic: "t" },
        ]);
        const known = await bench.withSteps("known", "a");
        await bench.store.suspend(known, [
          { step: "a", kind: "event", topic: "t" },
          { step: "b", kind: "event", topic: "t" },
        ]);
        await bench.store.suspend(await bench.start("none"), []);
        expect(await bench.due()).toEqual(["past:2:due", "known:2:due", "none:2:due"]);
        expect((await bench.claim("past", { continuation: 2 })).steps.map(({ name }) => name)).toEqual(["nap"]);
        const { steps, waits } = await bench.claim("known", { continuation: 2 });
        expect(steps).toMatchObject([{ name: "a", value: "of a" }]);
        expect(waits).toMatchObject([{ step: "b" }]);
        expect((await bench.claim("none", { continuation: 2 })).waits).toEqual([]);
      }),
    );

    it(
      "has no continuation under way when only an event can wake the run, whose number is a new one all the same",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t" }]);
        const run = await bench.run("r1");
        expect(run.continuation).toBe(2);
        expect(run).not.toHaveProperty("continuationAt");
        await bench.clock.advance(1_000_000);
        expect(await bench.due()).toEqual([]);
        expect(await bench.store.listRunnableRuns()).toEqual([]);
      }),
    );

    it(
      "counts the end of a policy as a timed end",
      onBench(open, async (bench) => {
        const policy = { maxRunDuration: 1_000, maxSuspendDuration: 400 };
        await bench.store.createRun(aRun("r1", { cancellationPolicy: policy }));
        await bench.clock.advance(300);
        const wait = { step: "e", kind: "event", topic: "t" } as const;
        await bench.store.suspend((await bench.claim("r1")).claim, [wait]);
        expect((await bench.run("r1")).continuationAt).toEqual(bench.in(400));
        await bench.clock.advance(350);
        await bench.store.suspend((await bench.claim("r1")).claim, []);
        expect((await bench.run("r1")).continuationAt).toEqual(bench.in(350));
        await bench.clock.advance(350);
        expect(await bench.due()).toEqual(["r1:3:due"]);
        expect((await bench.tryClaim("r1", { continuation: 3 })).kind).toBe("cancelled");
      }),
    );

    it(
      "keeps what was saved before, and lets the run go on where it was",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a", "b");
        await bench.store.suspend(claim, [{ step: "nap", kind: "sleep", resumeAt: bench.in(1) }]);
        await bench.clock.advance(1);
        const { claim: next } = await bench.claim("r1", { continuation: 2 });
        await bench.save(next, aStep("c"));
        expect(await bench.stepNames("r1")).toEqual(["a", "b", "nap", "c"]);
      }),
    );
  });
}
