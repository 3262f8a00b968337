import { describe, expect, it } from "vitest";
import { anError, aRun, aStep, LEASE, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Runs that are ended from outside. */
export function describeCancel(open: OpenWorkflowStoreFixture): void {
  describe("cancel", () => {
    it(
      "ends a run at once, and says why and when",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t", resumeAt: bench.in(10) }]);
        await bench.clock.advance(3);
        expect(await bench.store.cancel("r1", { reason: "not wanted" })).toBe(true);
        const run = await bench.run("r1");
        expect(run).toMatchObject({
          status: "cancelled",
          cancellationData: { reason: "not wanted", cancelledAt: bench.in(0).toISOString() },
          endedAt: bench.in(0),
          waits: [],
        });
        expect(run).not.toHaveProperty("continuationAt");
        expect(await bench.store.listWatchers("t")).toEqual([]);
        await bench.clock.advance(10);
        expect(await bench.due()).toEqual([]);
        expect(await bench.tryClaim("r1", { continuation: 2 })).toEqual({ kind: "stale" });
      }),
    );

    it(
      "says no when there is nothing to end, and changes nothing",
      onBench(open, async (bench) => {
        expect(await bench.store.cancel("nobody")).toBe(false);
        await bench.store.markCompleted(await bench.start("r1"), 1);
        const before = await bench.run("r1");
        expect(await bench.store.cancel("r1")).toBe(false);
        expect(await bench.store.cancel("r1", { compensate: true })).toBe(false);
        expect(await bench.run("r1")).toEqual(before);
      }),
    );

    it(
      "ends the children that end with their parents, and no others",
      onBench(open, async (bench) => {
        const endsWithParent = true;
        await bench.start("p");
        await bench.suspended("c1", [{ step: "e", kind: "event", topic: "t" }], { parentRunId: "p", endsWithParent });
        await bench.store.createRun(aRun("c2", { parentRunId: "p" }));
        await bench.store.createRun(aRun("g1", { parentRunId: "c1", endsWithParent }));
        await bench.store.createRun(aRun("g2", { parentRunId: "c2", endsWithParent }));
        await bench.store.markCompleted(await bench.start("c3", { parentRunId: "p", endsWithParent }), 1);
        await bench.store.cancel("p", { reason: "mine" });
        const states = await Promise.all(["p", "c1", "c2", "g1", "g2", "c3"].map((runId) => bench.run(runId)));
        expect(states.map(({ status }) => status)).toEqual([
          "cancelled",
          "cancelled",
          "running",
          "cancelled",
          "running",
          "completed",
        ]);
        expect(states[0]?.cancellationData?.["reason"]).toBe("mine");
        expect(states[1]?.cancellationData?.["reason"]).toBe("its parent was cancelled");
        expect(await bench.due()).toEqual(["c2:1:start", "g2:1:start"]);
      }),
    );

    it(
      "wakes a parent that waits for what was cancelled",
      onBench(open, async (bench) => {
        await bench.store.createRun(aRun("c"));
        await bench.suspended("p", [{ step: "w", kind: "child", topic: "c" }]);
        await bench.store.cancel("c");
        expect(await bench.due()).toEqual(["p:3:event"]);
      }),
    );
  });

  describe("cancel with compensate", () => {
    it(
      "has the run go on, asked to end, from whoever held it, and wait for nothing any more",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a");
        await bench.store.suspend(claim, [{ step: "e", kind: "event", topic: "t" }]);
        expect(await bench.store.cancel("r1", { compensate: true, reason: "stop" })).toBe(true);
        expect(await bench.run("r1")).toMatchObject({
          status: "running",
          cancelRequested: true,
          cancellationData: { reason: "stop" },
        });
        expect(await bench.due()).toEqual(["r1:3:manual"]);
        expect(await bench.store.listWatchers("t")).toEqual([]);
        const next = await bench.claim("r1", { continuation: 3 });
        expect(next).toMatchObject({ run: { cancelRequested: true }, waits: [] });
        // Once is enough: the compensations that have begun are left alone.
        expect(await bench.store.cancel("r1", { compensate: true, reason: "other" })).toBe(true);
        await bench.store.markFailed(next.claim, anError("compensated"));
        expect(await bench.run("r1")).toMatchObject({
          status: "cancelled",
          cancelRequested: true,
          cancellationData: { reason: "stop" },
          lastError: anError("compensated"),
        });
      }),
    );

    it(
      "leaves the run with who holds it, who is told with the next step and cannot suspend it",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a");
        expect(await bench.save(claim, aStep("b"))).toEqual({ cancelRequested: false });
        expect(await bench.store.cancel("r1", { compensate: true })).toBe(true);
        expect(await bench.run("r1")).toMatchObject({ status: "running", cancelRequested: true, continuation: 1 });
        expect(await bench.save(claim, aStep("c"))).toEqual({ cancelRequested: true });
        await bench.store.suspend(claim, [{ step: "e", kind: "event", topic: "t" }]);
        expect(await bench.run("r1")).toMatchObject({ status: "running", waits: [] });
        expect(await bench.due()).toEqual(["r1:2:manual"]);
        const next = await bench.claim("r1", { continuation: 2 });
        expect(next.steps.map(({ name }) => name)).toEqual(["a", "b", "c"]);
        // Whoever claims it knows, and may wait for a compensation.
        await bench.store.suspend(next.claim, [{ step: "nap", kind: "sleep", resumeAt: bench.in(1_000) }]);
        expect((await bench.run("r1")).status).toBe("suspended");
      }),
    );

    it(
      "asks the children too, also those that came after it",
      onBench(open, async (bench) => {
        const change = { parentRunId: "p", endsWithParent: true };
        await bench.store.createRun(aRun("p"));
        await bench.store.createRun(aRun("c1", change));
        await bench.store.cancel("p", { compensate: true });
        expect(await bench.run("c1")).toMatchObject({ status: "running", cancelRequested: true });
        await bench.store.createRun(aRun("c2", change));
        await bench.store.markFailed((await bench.claim("p")).claim, anError());
        expect(await bench.run("c1")).toMatchObject({ status: "running", continuation: 2 });
        expect(await bench.run("c2")).toMatchObject({ status: "running", cancelRequested: true, continuation: 2 });
      }),
    );

    it(
      "gives way to a cancel at once, and to code that completes all the same",
      onBench(open, async (bench) => {
        for (const runId of ["r1", "r2"]) await bench.store.createRun(aRun(runId));
        for (const runId of ["r1", "r2"]) await bench.store.cancel(runId, { compensate: true });
        expect(await bench.store.cancel("r1", { reason: "now" })).toBe(true);
        expect(await bench.run("r1")).toMatchObject({ status: "cancelled", cancellationData: { reason: "now" } });
        await bench.store.markCompleted((await bench.claim("r2")).claim, 1);
        expect((await bench.run("r2")).status).toBe("completed");
      }),
    );
  });

  describe("a cancellation policy", () => {
    it(
      "is kept with the run, and ends it at the claim once it has run out",
      onBench(open, async (bench) => {
        const cancellationPolicy = { maxRunDuration: 1_000 };
        await bench.store.createRun(aRun("r1", { cancellationPolicy }));
        expect((await bench.run("r1")).cancellationPolicy).toEqual(cancellationPolicy);
        await bench.clock.advance(999);
        const { claim } = await bench.claim("r1");
        await bench.store.releaseRun(claim);
        await bench.clock.advance(1);
        const outcome = await bench.tryClaim("r1", { continuation: 2 });
        const policy = { policy: "maxRunDuration", elapsedMs: 1_000, limitMs: 1_000 };
        const cancellationData = { reason: "maxRunDuration", cancelledAt: bench.in(0).toISOString(), ...policy };
        expect(outcome).toMatchObject({ kind: "cancelled", run: { status: "cancelled", cancellationData } });
        expect(outcome).toEqual({ kind: "cancelled", run: await bench.run("r1") });
        expect(await bench.tryClaim("r1", { continuation: 2 })).toEqual({ kind: "stale" });
      }),
    );

    it(
      "takes the run from whoever holds it, and wakes who waits for it",
      onBench(open, async (bench) => {
        const claim = await bench.start("c", { cancellationPolicy: { maxRunDuration: LEASE - 1 } });
        await bench.suspended("p", [{ step: "w", kind: "child", topic: "c" }]);
        await bench.clock.advance(LEASE - 1);
        expect((await bench.tryClaim("c", { ownerId: "w2" })).kind).toBe("cancelled");
        await expect(bench.store.markCompleted(claim, 1)).rejects.toMatchObject({ code: "STEM_RUN_LEASE_LOST" });
        expect(await bench.due()).toEqual(["p:3:event"]);
      }),
    );

    it(
      "measures each suspension from its own beginning",
      onBench(open, async (bench) => {
        const nap = (step: string) => ({ step, kind: "sleep", resumeAt: bench.in(100) }) as const;
        await bench.suspended("r1", [nap("a")], { cancellationPolicy: { maxSuspendDuration: 150 } });
        await bench.clock.advance(100);
        const { claim } = await bench.claim("r1", { continuation: 2 });
        await bench.store.suspend(claim, [nap("b")]);
        await bench.clock.advance(100);
        expect((await bench.claim("r1", { continuation: 3 })).run.status).toBe("running");
      }),
    );
  });
}
