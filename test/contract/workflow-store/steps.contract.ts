import { describe, expect, it } from "vitest";
import { aRun, anError, aStep, LEASE, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Checkpoints: what they hold, and in which order. */
export function describeSteps(open: OpenWorkflowStoreFixture): void {
  describe("saveStep, readStep and listSteps", () => {
    it(
      "give back every field, and leave out what was not given",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        const startedAt = new Date("2026-01-01T00:00:00.123Z");
        const error = anError("boom", { stack: "at x", retryable: true, meta: { code: "E" } });
        await bench.save(claim, aStep("a", { x: -0 }, { startedAt, attempts: 3, kind: "task" }));
        await bench.clock.advance(5);
        await bench.save(claim, aStep("b#4", null, { error, kind: "compensation" }));
        const [one, two] = await bench.store.listSteps("r1");
        expect(one).toStrictEqual({
          name: "a",
          baseName: "a",
          position: 0,
          kind: "task",
          value: { x: -0 },
          attempts: 3,
          startedAt,
          endedAt: bench.in(-5),
        });
        expect(two).toStrictEqual({
          name: "b#4",
          baseName: "b",
          iteration: 4,
          position: 1,
          kind: "compensation",
          value: null,
          error,
          attempts: 1,
          startedAt: new Date(1_000),
          endedAt: bench.in(0),
        });
      }),
    );

    it(
      "tell a stored null from nothing",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        await bench.save(claim, aStep("a", null));
        expect(await bench.store.readStep("r1", "a")).toBeNull();
        expect(await bench.store.readStep("r1", "b")).toBeUndefined();
        expect((await bench.run("r1")).cursor).toBe(1);
      }),
    );

    it(
      "keep the order in which steps were first stored, whatever their names",
      onBench(open, async (bench) => {
        const repeats = Array.from({ length: 12 }, (_, index) => `repeat#${index}`);
        const claim = await bench.withSteps("r1", "b", "a", ...repeats, "0");
        expect(await bench.stepNames("r1")).toEqual(["b", "a", ...repeats, "0"]);
        await bench.save(claim, aStep("a", "again"));
        expect(await bench.stepNames("r1")).toEqual(["b", "a", ...repeats, "0"]);
        const steps = await bench.store.listSteps("r1");
        expect(steps.map(({ position }) => position)).toEqual(steps.map((_, index) => index));
        expect(await bench.store.readStep("r1", "a")).toBe("again");
        await bench.store.releaseRun(claim);
        expect((await bench.claim("r1")).steps).toEqual(steps);
      }),
    );

    it(
      "count the iterations of one step once in the cursor",
      onBench(open, async (bench) => {
        await bench.withSteps("r1", "a", "repeat#0", "repeat#1", "repeat#2", "repeater");
        expect((await bench.run("r1")).cursor).toBe(3);
        expect((await bench.store.listRuns()).runs[0]?.cursor).toBe(3);
      }),
    );

    it(
      "refresh the run's date, prolong the lease, and forget the last error",
      onBench(open, async (bench) => {
        const first = await bench.start("r1");
        await bench.store.releaseRun(first, { error: anError() });
        const { claim } = await bench.claim("r1");
        expect((await bench.run("r1")).lastError).toEqual(anError());
        await bench.clock.advance(LEASE - 1);
        await bench.save(claim, aStep("a"));
        const run = await bench.run("r1");
        expect(run).toMatchObject({ updatedAt: bench.in(0), leaseExpiresAt: bench.in(LEASE) });
        expect(run).not.toHaveProperty("lastError");
        await bench.clock.advance(LEASE - 1);
        await bench.save(claim, aStep("b"));
      }),
    );

    it(
      "create a child in the same transaction, once",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        const child = aRun("c1", { parentRunId: "r1", params: { first: true } });
        await bench.store.saveStep(claim, aStep("a"), { leaseDuration: LEASE, child });
        const again = { ...child, params: { first: false } };
        await bench.store.saveStep(claim, aStep("b"), { leaseDuration: LEASE, child: again });
        expect(await bench.run("c1")).toMatchObject({ params: { first: true }, parentRunId: "r1", continuation: 1 });
        expect(await bench.due()).toEqual(["r1:1:start", "c1:1:start"]);
      }),
    );

    it(
      "end the retry of the same step",
      onBench(open, async (bench) => {
        const wait = { step: "a", kind: "retry", resumeAt: bench.in(10), attempts: 1, error: anError() } as const;
        await bench.suspended("r1", [wait]);
        await bench.clock.advance(10);
        const { claim, waits, steps } = await bench.claim("r1");
        expect(waits).toStrictEqual([{ ...wait, createdAt: bench.in(-10) }]);
        expect(steps).toEqual([]);
        await bench.save(claim, aStep("a", 1));
        await bench.store.releaseRun(claim);
        expect((await bench.claim("r1")).waits).toEqual([]);
      }),
    );
  });
}
