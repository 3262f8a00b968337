import { describe, expect, it } from "vitest";
import type { RunClaim, WorkflowStore } from "../../../src/contracts/workflow-store.ts";
import { expectError } from "../support.ts";
import { aRun, anError, aStep, LEASE, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";
import type { WorkflowStoreBench } from "./workflow-store-bench.ts";

type Use = readonly [name: string, use: (store: WorkflowStore, claim: RunClaim) => Promise<unknown>];

/** Every method that takes a claim. */
const USES: readonly Use[] = [
  ["renewRunLease", (store, claim) => store.renewRunLease(claim, LEASE)],
  ["releaseRun", (store, claim) => store.releaseRun(claim, { error: anError() })],
  [
    "saveStep",
    (store, claim) => store.saveStep(claim, aStep("late"), { leaseDuration: LEASE, child: aRun("late-child") }),
  ],
  ["suspend", (store, claim) => store.suspend(claim, [{ step: "late", kind: "sleep", resumeAt: new Date(0) }])],
  ["markCompleted", (store, claim) => store.markCompleted(claim, "late", aStep("late"))],
  ["markFailed", (store, claim) => store.markFailed(claim, anError("late"))],
];

type Loss = readonly [name: string, lose: (bench: WorkflowStoreBench, claim: RunClaim) => Promise<RunClaim | void>];

/** Every way in which a claim comes to an end. */
const LOSSES: readonly Loss[] = [
  ["lapsed", (bench) => bench.clock.advance(LEASE)],
  [
    "was taken over",
    async (bench) => {
      await bench.claim("r1");
    },
  ],
  ["was given back", (bench, claim) => bench.store.releaseRun(claim)],
  [
    "was used up by a suspension",
    (bench, claim) => bench.store.suspend(claim, [{ step: "nap", kind: "sleep", resumeAt: bench.in(1_000) }]),
  ],
  ["ended with its run", (bench, claim) => bench.store.markCompleted(claim, "early")],
  [
    "ended with the cancelling of its run",
    async (bench) => {
      await bench.store.cancel("r1");
    },
  ],
  [
    "ended with the rewinding of its run",
    async (bench) => {
      await bench.store.rewindToStep("r1", "b");
    },
  ],
  ["is somebody else's", async (_bench, claim) => ({ ...claim, ownerId: "w9" })],
  ["is of an earlier token", async (_bench, claim) => ({ ...claim, token: claim.token - 1 })],
  ["is of an unknown run", async (_bench, claim) => ({ ...claim, runId: "nobody" })],
];

/** A claim that is not the present one changes nothing. */
export function describeFencing(open: OpenWorkflowStoreFixture): void {
  for (const [loss, lose] of LOSSES) {
    describe(`a claim that ${loss}`, () => {
      for (const [name, use] of USES) {
        it(
          `is refused by ${name}, and nothing is changed`,
          onBench(open, async (bench) => {
            const claim = await bench.withSteps("r1", "a", "b");
            const lost = (await lose(bench, claim)) ?? claim;
            const facts = () => Promise.all([bench.store.get("r1"), bench.store.listSteps("r1"), bench.due()]);
            const before = await facts();
            await expectError(() => use(bench.store, lost), "STEM_RUN_LEASE_LOST");
            expect(await facts()).toStrictEqual(before);
            expect(await bench.store.get("late-child")).toBeNull();
          }),
        );
      }
    });
  }
}
