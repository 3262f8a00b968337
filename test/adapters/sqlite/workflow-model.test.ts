import {
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  oneof,
  record,
  subarray,
  type Arbitrary,
  array,
} from "fast-check";
import { expect, it } from "vitest";
import { InMemoryWorkflowStore } from "../../../adapters/memory/index.ts";
import { SqliteWorkflowStore } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { NewWait, RunClaim, WorkflowStore } from "../../../src/contracts/workflow-store.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { aRun, anError, aStep } from "../../contract/workflow-store/workflow-store-bench.ts";
import { onClock } from "./open-sqlite.ts";

const LEASE = 1_000;
const RUNS = ["r0", "r1", "r2", "r3"] as const;

/** One call on both stores; `at` picks one of the claims that were granted. */
type Command = Readonly<{ name: string; run: string; other: string; at: number; ms: number; flag: boolean }> &
  Readonly<{ step: string; kinds: readonly NewWait["kind"][]; policy: "none" | "run" | "suspend" }>;

const NAMES = [
  ...[
    "createRun",
    "createRun",
    "claim",
    "claim",
    "claim",
    "claimByFence",
    "saveStep",
    "saveStep",
    "suspend",
    "suspend",
  ],
  ...["suspend", "release", "renew", "complete", "fail", "emit", "emit", "taskEnd", "cancel", "rewind", "resume"],
  ...["recover", "confirm", "prune", "advance", "advance", "advance"],
];

const command: Arbitrary<Command> = record({
  name: constantFrom(...NAMES),
  run: constantFrom(...RUNS),
  other: constantFrom(...RUNS),
  at: integer({ min: 0, max: 3 }),
  ms: integer({ min: 0, max: 700 }),
  flag: boolean(),
  step: constantFrom("a", "b", "repeat#2", "repeat#10"),
  kinds: subarray(["sleep", "event", "child", "tasks", "retry"] as const),
  policy: oneof(constant("none" as const), constantFrom("none" as const, "run" as const, "suspend" as const)),
});

/** A store, and the claims that it has granted; their tokens are its own. */
interface Side {
  readonly store: WorkflowStore;
  readonly claims: RunClaim[];
}

/** Whatever a call comes to, as a value that two stores agree on: tokens are their own. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call };
  } catch (error) {
    return { code: (error as { code?: string }).code ?? error };
  }
}

function waitsOf({ kinds, step, ms, other, at, flag }: Command, now: number): NewWait[] {
  const resumeAt = new Date(now + ms);
  const deadline = flag ? { resumeAt } : {};
  const all: Readonly<Record<NewWait["kind"], NewWait>> = {
    sleep: { step: "nap", kind: "sleep", resumeAt, data: { at } },
    event: { step: `e#${at}`, kind: "event", topic: "t", ...deadline },
    child: { step: `of-${other}`, kind: "child", topic: other, ...deadline },
    tasks: { step: "fan", kind: "tasks", expected: 2, ...deadline },
    retry: { step, kind: "retry", resumeAt, attempts: at, error: anError() },
  };
  return kinds.map((kind) => all[kind]);
}

async function claim(side: Side, { run, at, flag }: Command, byFence: boolean): Promise<unknown> {
  const continuation = (await side.store.get(run))?.continuation ?? 0;
  const request = { ownerId: flag ? "w1" : "w2", leaseDuration: LEASE };
  const outcome = await side.store.claimRun(run, byFence ? { ...request, continuation, fence: at } : request);
  if (outcome.kind !== "claimed") return outcome;
  side.claims.unshift(outcome.claim);
  return { ...outcome, claim: null };
}

function create(store: WorkflowStore, { run, other, ms, flag, policy }: Command): Promise<string> {
  const limit = ms + 300;
  const policies = { none: {}, run: { maxRunDuration: limit * 4 }, suspend: { maxSuspendDuration: limit } };
  const more = { parentRunId: other, endsWithParent: flag, cancellationPolicy: policies[policy], ttl: ms };
  return store.createRun(aRun(run, more));
}

function carryOut(side: Side, step: Command, now: number): Promise<unknown> {
  const { store } = side;
  const { run, other, at, ms, flag } = step;
  const held = side.claims[at % Math.max(1, side.claims.length)] ?? { runId: run, ownerId: "w1", token: 0 };
  switch (step.name) {
    case "createRun":
      return create(store, step);
    case "claim":
    case "claimByFence":
      return claim(side, step, step.name === "claimByFence");
    case "saveStep": {
      const child = flag ? { child: aRun(other, { parentRunId: held.runId, endsWithParent: true }) } : {};
      const error = at === 3 ? { error: anError() } : {};
      return store.saveStep(held, aStep(step.step, ms, error), { leaseDuration: LEASE, ...child });
    }
    case "suspend":
      return store.suspend(held, waitsOf(step, now));
    case "release":
      return store.releaseRun(held, flag ? { delay: ms, error: anError() } : {});
    case "renew":
      return store.renewRunLease(held, ms + 1);
    case "complete":
      return flag ? store.markCompleted(held, ms) : store.markCompleted(held, ms, aStep(step.step));
    case "fail":
      return store.markFailed(held, anError());
    case "emit":
      return store.emit("t", ms, flag ? { ttl: ms, eventId: `id-${at}` } : {});
    case "taskEnd":
      return store.recordTaskEnd({
        runId: run,
        step: "fan",
        index: at,
        value: ms,
        ...(flag ? { error: anError() } : {}),
      });
    case "cancel":
      return store.cancel(run, { compensate: flag });
    case "rewind":
      return store.rewindToStep(run, flag ? step.step : "repeat");
    case "resume":
      return store.resumeRun(run);
    case "recover":
      return store.recoverRuns({ grace: 100, maxRecoveries: 1, limit: at });
    case "confirm":
      return store.pendingContinuations(at).then((some) => store.confirmContinuations(some));
    default:
      return store.prune();
  }
}

/** Everything that can be asked of a store. */
async function lookAt({ store }: Side): Promise<unknown> {
  const runs = RUNS.map((run) => Promise.all([store.get(run), store.listSteps(run)]));
  const lists = [store.listRuns(), store.listRuns({ parentRunId: "r0" }), store.listRunnableRuns()];
  const waits = [store.listWatchers("t"), store.runsWaitingOn("t"), store.pendingContinuations(100)];
  return Promise.all([Promise.all(runs), ...lists, ...waits]);
}

it("does what the store in memory does, whatever is asked in whatever order", async () => {
  const scenario = asyncProperty(array(command, { maxLength: 60, size: "max" }), async (commands) => {
    const clock = new FakeClock();
    const options = { cleanupInterval: 0, defaultRunTtl: 2_000, eventTtl: 3_000 };
    const sqlite = await SqliteWorkflowStore.open("model.sqlite", { ...onClock(clock, memoryStorage()), ...options });
    await using one = sqlite;
    await using other = new InMemoryWorkflowStore({ clock, ...options });
    const sides: readonly [Side, Side] = [
      { store: one, claims: [] },
      { store: other, claims: [] },
    ];
    for (const step of commands) {
      if (step.name === "advance") await clock.advance(step.ms);
      else {
        const [mine, theirs] = await Promise.all(sides.map((side) => outcomeOf(carryOut(side, step, clock.now()))));
        expect(mine, step.name).toStrictEqual(theirs);
      }
    }
    const [mine, theirs] = await Promise.all(sides.map(lookAt));
    expect(mine).toStrictEqual(theirs);
  });
  // A failure prints its seed and path, for `assert(scenario, { seed, path })`.
  await assert(scenario, { numRuns: Number(process.env["STEM_MODEL_RUNS"] ?? 50) });
  // Time to find the smallest history after a failure.
}, 300_000);
