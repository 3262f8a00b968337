import { describe, expect, it } from "vitest";
import { aRun, anError, aStep, onBench, type OpenWorkflowStoreFixture, RUN_TTL } from "./workflow-store-bench.ts";

/** How runs end, and how long they are kept. */
export function describeEnds(open: OpenWorkflowStoreFixture): void {
  describe("markCompleted", () => {
    it(
      "stores the result, with the last step, and leaves nothing to be done",
      onBench(open, async (bench) => {
        const first = await bench.start("r1");
        await bench.store.releaseRun(first, { error: anError() });
        const { claim } = await bench.claim("r1");
        await bench.clock.advance(5);
        await bench.store.markCompleted(claim, { ok: [true] }, aStep("last", 7));
        const run = await bench.run("r1");
        expect(run).toMatchObject({ status: "completed", result: { ok: [true] }, cursor: 1, waits: [] });
        expect(run.endedAt).toEqual(bench.in(0));
        for (const gone of ["ownerId", "leaseExpiresAt", "continuationAt", "lastError", "suspendedAt"]) {
          expect(run).not.toHaveProperty(gone);
        }
        expect(await bench.store.readStep("r1", "last")).toBe(7);
        expect(await bench.due()).toEqual([]);
        expect(await bench.store.listRunnableRuns()).toEqual([]);
      }),
    );

    it(
      "keeps a null for a result",
      onBench(open, async (bench) => {
        await bench.store.markCompleted(await bench.start("r1"), null);
        expect((await bench.run("r1")).result).toBeNull();
      }),
    );

    it(
      "has the run wait for nothing any more",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t" }]);
        await bench.store.markCompleted((await bench.claim("r1")).claim, 1);
        expect(await bench.store.listWatchers("t")).toEqual([]);
        expect((await bench.store.emit("t", 1)).resolutions).toEqual([]);
      }),
    );
  });

  describe("markFailed", () => {
    it(
      "ends the run with its error",
      onBench(open, async (bench) => {
        await bench.store.markFailed(await bench.start("r1"), anError("gone wrong", { stack: "at y" }));
        const run = await bench.run("r1");
        expect(run).toMatchObject({ status: "failed", lastError: anError("gone wrong", { stack: "at y" }) });
        expect(run.endedAt).toEqual(bench.in(0));
        expect(run).not.toHaveProperty("result");
        expect(await bench.due()).toEqual([]);
      }),
    );

    it(
      "is not what an attempt does that will be tried again",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        const wait = { step: "a", kind: "retry", resumeAt: bench.in(10), attempts: 1, error: anError() } as const;
        await bench.store.suspend(claim, [wait]);
        expect(await bench.run("r1")).toMatchObject({ status: "suspended", waits: [wait] });
      }),
    );
  });

  describe("prune", () => {
    it(
      "deletes ended runs past their time to live, with all that is theirs",
      onBench(open, async (bench) => {
        await bench.store.markCompleted(await bench.withSteps("own"), 1);
        await bench.store.markCompleted(await bench.withSteps("default", "a"), 1);
        await bench.store.markCompleted(await bench.start("short", { ttl: 10 }), 1);
        await bench.store.markFailed(await bench.start("long", { ttl: RUN_TTL + 1 }), anError());
        await bench.store.createRun(aRun("open", { ttl: 0 }));
        expect(await bench.store.prune()).toBe(0);
        await bench.clock.advance(9);
        expect(await bench.store.prune()).toBe(0);
        await bench.clock.advance(1);
        expect(await bench.store.prune()).toBe(1);
        await bench.clock.advance(RUN_TTL - 10);
        expect(await bench.store.prune()).toBe(2);
        expect((await bench.store.listRuns()).runs.map(({ runId }) => runId).sort()).toEqual(["long", "open"]);
        expect(await bench.store.listSteps("default")).toEqual([]);
        expect(await bench.store.get("short")).toBeNull();
        await bench.store.createRun(aRun("default"));
        expect((await bench.claim("default")).steps).toEqual([]);
      }),
    );

    it(
      "leaves what is in use alone, however many there are",
      onBench(open, async (bench) => {
        for (let index = 0; index < 30; index += 1) {
          await bench.store.markCompleted(await bench.start(`r${index}`, { ttl: 1 }), 1);
        }
        await bench.suspended("waiting", [{ step: "e", kind: "event", topic: "t" }], { ttl: 1 });
        await bench.clock.advance(1);
        expect(await bench.store.prune()).toBe(30);
        expect(await bench.store.prune()).toBe(0);
        expect((await bench.store.emit("t", 1)).resolutions).toHaveLength(1);
      }),
    );

    it(
      "is done by a timer, at every interval",
      onBench(
        open,
        async (bench) => {
          await bench.store.markCompleted(await bench.start("r1", { ttl: 10 }), 1);
          await bench.clock.advance(999);
          expect(await bench.store.get("r1")).not.toBeNull();
          await bench.clock.advance(1);
          await bench.settle();
          expect(await bench.store.get("r1")).toBeNull();
        },
        { cleanupInterval: 1_000 },
      ),
    );
  });
}
