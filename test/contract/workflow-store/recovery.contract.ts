import { describe, expect, it } from "vitest";
import { aRun, anError, aStep, LEASE, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";
import type { WorkflowStoreBench } from "./workflow-store-bench.ts";

const GRACE = 1_000;

/** What a runtime's periodic look does. */
function recover(bench: WorkflowStoreBench, change: object = {}): Promise<readonly string[]> {
  return bench.store.recoverRuns({ grace: GRACE, maxRecoveries: 3, limit: 100, ...change });
}

/** Takes all continuations out of the outbox, as if they had been published, and lost. */
async function lose(bench: WorkflowStoreBench): Promise<void> {
  await bench.store.confirmContinuations(await bench.store.pendingContinuations(1_000));
}

/** Continuations that wait to be published, and those that got lost. */
export function describeRecovery(open: OpenWorkflowStoreFixture): void {
  describe("the outbox", () => {
    it(
      "holds the continuation that counts of each run until it is confirmed, oldest first",
      onBench(open, async (bench) => {
        bench.needsOutbox();
        const { store } = bench;
        for (const runId of ["r2", "r1", "r3"]) await store.createRun(aRun(runId));
        const first = { runId: "r2", number: 1, reason: "start", workflow: "order", queue: "wf" };
        expect((await store.pendingContinuations(10))[0]).toStrictEqual(first);
        const nap = { step: "nap", kind: "sleep", resumeAt: bench.in(500) } as const;
        await store.suspend((await bench.claim("r2")).claim, [nap]);
        const pending = await store.pendingContinuations(10);
        expect(pending.map(({ runId, number }) => `${runId}:${number}`)).toEqual(["r1:1", "r3:1", "r2:2"]);
        const { resumeAt: notBefore } = nap;
        expect(pending[2]).toStrictEqual({ ...first, number: 2, reason: "due", queue: "wf-cont", notBefore });
        expect(await store.pendingContinuations(0)).toEqual([]);
        expect(await store.pendingContinuations(1)).toHaveLength(1);
        await store.confirmContinuations(pending.slice(0, 1));
        await store.confirmContinuations([]);
        expect((await store.pendingContinuations(10)).map(({ runId }) => runId)).toEqual(["r3", "r2"]);
        // One that was published and superseded meanwhile takes nothing else out.
        await store.cancel("r2", { compensate: true });
        await store.confirmContinuations(pending);
        expect((await store.pendingContinuations(10)).map(({ number }) => number)).toEqual([3]);
        await store.cancel("r2");
        expect(await store.pendingContinuations(10)).toEqual([]);
      }),
    );
  });

  describe("recoverRuns", () => {
    it(
      "gives a new continuation to a run whose own was due for a while and is not known to wait",
      onBench(open, async (bench) => {
        bench.needsOutbox();
        await bench.store.createRun(aRun("r1"));
        await bench.store.createRun(aRun("waits"));
        await lose(bench);
        await bench.store.releaseRun((await bench.claim("waits")).claim);
        await bench.clock.advance(GRACE - 1);
        expect(await recover(bench)).toEqual([]);
        await bench.clock.advance(1);
        expect(await recover(bench)).toEqual(["r1"]);
        expect(await bench.due()).toEqual(["waits:2:due", "r1:2:recovery"]);
        expect(await recover(bench)).toEqual([]);
        await bench.claim("r1", { continuation: 2 });
      }),
    );

    it(
      "leaves those alone that somebody holds, that wait, and that have ended",
      onBench(open, async (bench) => {
        bench.needsOutbox();
        await bench.start("held");
        await bench.suspended("asleep", [{ step: "nap", kind: "sleep", resumeAt: bench.in(LEASE + GRACE) }]);
        await bench.suspended("open", [{ step: "e", kind: "event", topic: "t" }]);
        await bench.store.markCompleted(await bench.start("done"), 1);
        await lose(bench);
        await bench.clock.advance(LEASE + GRACE - 1);
        expect(await recover(bench)).toEqual([]);
        await bench.clock.advance(1);
        expect(await recover(bench)).toEqual(["held"]);
        await lose(bench);
        await bench.clock.advance(GRACE);
        expect(await recover(bench)).toEqual(["asleep", "held"]);
      }),
    );

    it(
      "takes the earliest first, up to its limit",
      onBench(open, async (bench) => {
        bench.needsOutbox();
        for (const runId of ["r3", "r1", "r2"]) {
          await bench.store.createRun(aRun(runId));
          await bench.clock.advance(1);
        }
        await lose(bench);
        await bench.clock.advance(GRACE);
        expect(await recover(bench, { limit: 0 })).toEqual([]);
        expect(await recover(bench, { limit: 2 })).toEqual(["r3", "r1"]);
        expect(await recover(bench)).toEqual(["r2"]);
      }),
    );

    it(
      "has a run fail that comes to nothing again and again",
      onBench(open, async (bench) => {
        bench.needsOutbox();
        await bench.store.createRun(aRun("r1"));
        for (let turn = 0; turn < 3; turn += 1) {
          await lose(bench);
          await bench.clock.advance(GRACE);
          expect(await recover(bench)).toEqual(["r1"]);
        }
        await lose(bench);
        await bench.clock.advance(GRACE);
        expect(await recover(bench)).toEqual([]);
        const lastError = { type: "WorkflowNotRecoveredError", retryable: false, meta: { recoveries: 3 } };
        expect(await bench.run("r1")).toMatchObject({ status: "failed", lastError });
        expect(await bench.store.resumeRun("r1")).toBe(true);
      }),
    );

    it(
      "counts from the beginning once a step was saved, or a wait stored",
      onBench(open, async (bench) => {
        bench.needsOutbox();
        const lost = async (): Promise<void> => {
          await lose(bench);
          await bench.clock.advance(LEASE + GRACE);
          expect(await recover(bench, { maxRecoveries: 1 })).toEqual(["r1"]);
        };
        await bench.store.createRun(aRun("r1"));
        await lost();
        await bench.save((await bench.claim("r1")).claim, aStep("a"));
        await lost();
        const nap = { step: "nap", kind: "sleep", resumeAt: bench.in(1) } as const;
        await bench.store.suspend((await bench.claim("r1")).claim, [nap]);
        await lost();
      }),
    );

    it(
      "cancels those whose policy has run out",
      onBench(open, async (bench) => {
        bench.needsOutbox();
        const cancellationPolicy = { maxSuspendDuration: 100 };
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t" }], { cancellationPolicy });
        await lose(bench);
        await bench.clock.advance(100 + GRACE);
        expect(await recover(bench)).toEqual([]);
        expect((await bench.run("r1")).status).toBe("cancelled");
      }),
    );
  });

  describe("every change that makes a run go on", () => {
    it(
      "leaves exactly one continuation that counts, and numbers rise",
      onBench(open, async (bench) => {
        const { store } = bench;
        const seen: string[] = [];
        const look = async (): Promise<void> => void seen.push(...(await bench.due()));
        await store.createRun(aRun("r1"));
        await look();
        const { claim } = await bench.claim("r1", { continuation: 1 });
        await bench.save(claim, aStep("a"));
        await store.releaseRun(claim, { error: anError() });
        await look();
        await store.suspend((await bench.claim("r1")).claim, [{ step: "e", kind: "event", topic: "t" }]);
        await look();
        await store.emit("t", 1);
        await look();
        await store.rewindToStep("r1", "a");
        await look();
        await store.cancel("r1", { compensate: true });
        await look();
        await store.cancel("r1");
        await look();
        await store.resumeRun("r1");
        await look();
        expect(seen).toEqual(["r1:1:start", "r1:2:due", "r1:4:event", "r1:5:replay", "r1:6:manual", "r1:7:manual"]);
      }),
    );
  });
}
