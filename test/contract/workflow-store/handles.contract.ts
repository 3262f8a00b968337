import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import {
  aRun,
  anError,
  aStep,
  LEASE,
  onBench,
  type OpenWorkflowStoreFixture,
  RUN_TTL,
} from "./workflow-store-bench.ts";

/** Several handles on one store, namespaces, and the end of a handle. */
export function describeHandlesAndNamespaces(open: OpenWorkflowStoreFixture): void {
  describe("two handles", () => {
    it(
      "work on the same runs",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const claim = await bench.start("r1");
        await other.saveStep(claim, aStep("a", 1), { leaseDuration: LEASE });
        expect(await bench.store.readStep("r1", "a")).toBe(1);
        await other.suspend(claim, [{ step: "e", kind: "event", topic: "t" }]);
        expect((await bench.store.emit("t", 1)).resolutions).toHaveLength(1);
        const outcome = await other.claimRun("r1", { ownerId: "w2", leaseDuration: LEASE });
        expect(outcome).toMatchObject({ kind: "claimed", steps: [{ name: "a" }, { name: "e" }] });
        expect(await bench.run("r1")).toEqual(await other.get("r1"));
      }),
    );

    it(
      "create a run of one id once",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const created = await Promise.allSettled(
          Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? bench.store : other).createRun(aRun("r1"))),
        );
        expect(created.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        expect(await bench.due()).toEqual(["r1:1:start"]);
      }),
    );
  });

  describe("namespaces", () => {
    it(
      "see nothing of each other",
      onBench(open, async (bench) => {
        const other = await bench.open({ namespace: "other" });
        const wait = { step: "e", kind: "event", topic: "t" } as const;
        await bench.suspended("r1", [wait]);
        await other.createRun(aRun("r1", { params: { other: true } }));
        const outcome = await other.claimRun("r1", { ownerId: "w1", leaseDuration: LEASE });
        if (outcome.kind !== "claimed") throw new Error("It is not claimed.");
        await other.saveStep(outcome.claim, aStep("a", "other"), { leaseDuration: LEASE });
        await other.emit("t", "other", { eventId: "x" });
        expect(await bench.stepNames("r1")).toEqual([]);
        expect((await bench.run("r1")).waits).toHaveLength(1);
        expect(await other.listWatchers("t")).toEqual([]);
        expect((await other.listRuns()).runs.map(({ params }) => params)).toEqual([{ other: true }]);
        expect((await bench.store.emit("t", "mine", { eventId: "x" })).outcome).toBe("emitted");
        const claim = { ...outcome.claim, token: (await bench.claim("r1")).claim.token };
        await expectError(() => other.markFailed(claim, anError()), "STEM_RUN_LEASE_LOST");
        await other.markCompleted(outcome.claim, 1);
        await bench.clock.advance(RUN_TTL);
        expect(await bench.store.prune()).toBe(0);
        expect(await other.prune()).toBe(1);
      }),
    );
  });

  describe("close", () => {
    it(
      "refuses every later call, may be repeated, and leaves other handles alone",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        const store = await bench.open();
        await Promise.all([store.close(), store.close()]);
        await store[Symbol.asyncDispose]();
        const calls = [
          () => store.createRun(aRun("r2")),
          () => store.get("r1"),
          () => store.listSteps("r1"),
          () => store.readStep("r1", "a"),
          () => store.listRuns(),
          () => store.listRunnableRuns(),
          () => store.claimRun("r1", { ownerId: "w1", leaseDuration: LEASE }),
          () => store.renewRunLease(claim, LEASE),
          () => store.releaseRun(claim),
          () => store.saveStep(claim, aStep("a"), { leaseDuration: LEASE }),
          () => store.suspend(claim, []),
          () => store.markCompleted(claim, 1),
          () => store.markFailed(claim, anError()),
          () => store.cancel("r1"),
          () => store.rewindToStep("r1", "a"),
          () => store.resumeRun("r1"),
          () => store.emit("t", 1),
          () => store.listWatchers("t"),
          () => store.runsWaitingOn("t"),
          () => store.recordTaskEnd({ runId: "r1", step: "a", index: 0, value: 1 }),
          () => store.recoverRuns({ grace: 1, maxRecoveries: 1, limit: 1 }),
          () => store.pendingContinuations(1),
          () => store.confirmContinuations([]),
          () => store.prune(),
          async () => store.watch("r1").next(),
        ];
        for (const call of calls) await expectError(call, "STEM_CLOSED");
        await bench.save(claim, aStep("a"));
      }),
    );
  });
}
