import { describe, expect, it } from "vitest";
import { aRun, anError, aStep, LEASE, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Who may have a run. */
export function describeClaims(open: OpenWorkflowStoreFixture): void {
  describe("claimRun", () => {
    it(
      "gives a run to one at a time, until the lease lapses",
      onBench(open, async (bench) => {
        await bench.store.createRun(aRun("r1"));
        const { claim, run } = await bench.claim("r1");
        expect(run).toMatchObject({ status: "running", ownerId: "w1", leaseExpiresAt: bench.in(LEASE) });
        expect(run).toStrictEqual(await bench.run("r1"));
        const until = bench.in(LEASE);
        await bench.clock.advance(LEASE - 1);
        expect(await bench.tryClaim("r1", { ownerId: "w2" })).toEqual({ kind: "busy", until });
        await bench.clock.advance(1);
        const next = await bench.claim("r1", { ownerId: "w2" });
        expect(next.claim.token).toBeGreaterThan(claim.token);
        expect(next.run.ownerId).toBe("w2");
      }),
    );

    it(
      "gives it to one of many that ask at once",
      onBench(open, async (bench) => {
        await bench.store.createRun(aRun("r1"));
        const other = await bench.open();
        const asked = Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? bench.store : other).claimRun("r1", { ownerId: `w${index}`, leaseDuration: LEASE }),
        );
        const kinds = (await Promise.all(asked)).map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === "claimed")).toHaveLength(1);
        expect(kinds.filter((kind) => kind === "busy")).toHaveLength(19);
      }),
    );

    it(
      "gives it to its holder again, whose earlier claim is over",
      onBench(open, async (bench) => {
        const first = await bench.start("r1");
        const { claim } = await bench.claim("r1");
        await expect(bench.save(first, aStep("a"))).rejects.toMatchObject({ code: "STEM_RUN_LEASE_LOST" });
        await bench.save(claim, aStep("a"));
      }),
    );

    it(
      "gives it to a greater fence, and to no lesser one, not even its holder's",
      onBench(open, async (bench) => {
        await bench.store.createRun(aRun("r1"));
        const first = await bench.claim("r1", { continuation: 1, fence: 5 });
        expect((await bench.tryClaim("r1", { ownerId: "w2", continuation: 1, fence: 5 })).kind).toBe("busy");
        expect((await bench.tryClaim("r1", { ownerId: "w2", continuation: 1, fence: 4 })).kind).toBe("busy");
        expect((await bench.tryClaim("r1", { continuation: 1, fence: 4 })).kind).toBe("busy");
        await bench.save(first.claim, aStep("a"));
        const second = await bench.claim("r1", { ownerId: "w2", continuation: 1, fence: 6 });
        expect(second.steps.map(({ name }) => name)).toEqual(["a"]);
        await expect(bench.save(first.claim, aStep("b"))).rejects.toMatchObject({ code: "STEM_RUN_LEASE_LOST" });
      }),
    );

    it(
      "does not take a manual claim away for a fence",
      onBench(open, async (bench) => {
        await bench.start("r1");
        expect((await bench.tryClaim("r1", { ownerId: "w2", continuation: 1, fence: 9 })).kind).toBe("busy");
      }),
    );

    it(
      "finds earlier and later continuations stale, and ended runs",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        await bench.store.releaseRun(claim);
        expect(await bench.tryClaim("r1", { continuation: 1 })).toEqual({ kind: "stale" });
        expect(await bench.tryClaim("r1", { continuation: 3 })).toEqual({ kind: "stale" });
        const next = await bench.claim("r1", { continuation: 2 });
        await bench.store.markCompleted(next.claim, 1);
        expect(await bench.tryClaim("r1", { continuation: 2 })).toEqual({ kind: "stale" });
        expect(await bench.tryClaim("r1")).toEqual({ kind: "stale" });
      }),
    );

    it(
      "of a suspended run, waits until something is over, unless it is manual",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "nap", kind: "sleep", resumeAt: bench.in(100) }]);
        expect(await bench.tryClaim("r1", { continuation: 2 })).toEqual({ kind: "busy", until: bench.in(100) });
        const manual = await bench.claim("r1");
        expect(manual).toMatchObject({ run: { status: "running", waits: [] }, steps: [] });
        expect(manual.waits.map(({ step }) => step)).toEqual(["nap"]);
        await bench.store.suspend(manual.claim, []);
        expect((await bench.run("r1")).waits.map(({ resumeAt }) => resumeAt)).toEqual([bench.in(100)]);
        await bench.clock.advance(100);
        expect((await bench.claim("r1", { continuation: 3 })).steps).toMatchObject([{ name: "nap", kind: "sleep" }]);
      }),
    );

    it(
      "finds nothing to do in a run that only an event can wake",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t" }]);
        expect(await bench.tryClaim("r1", { continuation: 2 })).toEqual({ kind: "stale" });
        expect((await bench.claim("r1")).waits).toHaveLength(1);
      }),
    );

    it(
      "leaves a run due that was claimed by hand and never heard of again",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t" }]);
        await bench.claim("r1");
        expect(await bench.store.listRunnableRuns()).toEqual([]);
        await bench.clock.advance(LEASE);
        expect(await bench.store.listRunnableRuns()).toEqual(["r1"]);
      }),
    );
  });

  describe("renewRunLease", () => {
    it(
      "moves the end of the lease, to an earlier one too",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        expect(await bench.store.renewRunLease(claim, 2 * LEASE)).toEqual(bench.in(2 * LEASE));
        await bench.clock.advance(LEASE);
        expect((await bench.tryClaim("r1", { ownerId: "w2" })).kind).toBe("busy");
        expect(await bench.store.renewRunLease(claim, 10)).toEqual(bench.in(10));
        expect((await bench.run("r1")).leaseExpiresAt).toEqual(bench.in(10));
        await bench.clock.advance(10);
        await bench.claim("r1", { ownerId: "w2" });
      }),
    );

    it(
      "is measured in time that passes, not by the wall clock",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        bench.clock.jump(10 * LEASE);
        expect((await bench.tryClaim("r1", { ownerId: "w2" })).kind).toBe("busy");
        await bench.save(claim, aStep("a"));
        await bench.clock.advance(LEASE);
        await bench.claim("r1", { ownerId: "w2" });
      }),
    );
  });

  describe("releaseRun", () => {
    it(
      "gives the run back with a new continuation, after a delay if asked to",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a");
        await bench.store.releaseRun(claim, { delay: 50, error: anError("later") });
        const run = await bench.run("r1");
        expect(run).toMatchObject({ status: "running", continuation: 2, lastError: anError("later"), cursor: 1 });
        expect(run.continuationAt).toEqual(bench.in(50));
        expect(run).not.toHaveProperty("ownerId");
        expect(run).not.toHaveProperty("leaseExpiresAt");
        expect(await bench.due()).toEqual([]);
        await bench.clock.advance(50);
        expect(await bench.due()).toEqual(["r1:2:due"]);
        expect((await bench.claim("r1", { continuation: 2 })).steps.map(({ name }) => name)).toEqual(["a"]);
      }),
    );
  });
}
