import { describe, expect, it } from "vitest";
import type { StemErrorCode } from "../../../src/errors.ts";
import { expectError } from "../support.ts";
import { aRun, anError, aStep, LEASE, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";
import type { WorkflowStoreBench } from "./workflow-store-bench.ts";

const OPTION = "STEM_INVALID_OPTION";
const NAME = "STEM_INVALID_NAME";
const JSON_FORM = "STEM_PAYLOAD_NOT_SERIALIZABLE";
const SIZE = "STEM_PAYLOAD_TOO_LARGE";
const BIG = "x".repeat(400);

type Refused = readonly [what: string, code: StemErrorCode, call: () => Promise<unknown>];

/** Anything in the place of an argument. */
const any = (value: unknown): never => value as never;

function badRuns({ store }: WorkflowStoreBench): readonly Refused[] {
  const refused = (what: string, code: StemErrorCode, change: object): Refused => [
    what,
    code,
    () => store.createRun(aRun("bad", any(change))),
  ];
  return [
    refused("run id", NAME, { runId: "a b" }),
    refused("run id", OPTION, { runId: "x".repeat(151) }),
    refused("workflow", NAME, { workflow: "" }),
    refused("version", OPTION, { version: 1.5 }),
    refused("params", OPTION, { params: [1] }),
    refused("params.a.b", JSON_FORM, { params: { a: { b: undefined } } }),
    refused("params", SIZE, { params: { big: BIG } }),
    refused("metadata.at", JSON_FORM, { metadata: { at: new Date(0) } }),
    refused("queues", OPTION, { queues: undefined }),
    refused("continuationQueue", NAME, {
      queues: { orchestrationQueue: "a", continuationQueue: "", executionQueue: "c" },
    }),
    refused("parentRunId", NAME, { parentRunId: "" }),
    refused("endsWithParent", OPTION, { endsWithParent: "yes" }),
    refused("ttl", OPTION, { ttl: -1 }),
    refused("cancellationPolicy.maxRunDuration", OPTION, { cancellationPolicy: { maxRunDuration: 0 } }),
    refused("cancellationPolicy.other", OPTION, { cancellationPolicy: { other: 1 } }),
    ["run", OPTION, () => store.createRun(any(null))],
  ];
}

function badReads({ store }: WorkflowStoreBench): readonly Refused[] {
  return [
    ["run id", NAME, () => store.get("a b")],
    ["run id", NAME, () => store.listSteps(any(1))],
    ["step", NAME, () => store.readStep("r1", "a b")],
    ["step", NAME, () => store.readStep("r1", "a#b")],
    ["limit", OPTION, () => store.listRuns({ limit: -1 })],
    ["limit", OPTION, () => store.listRuns({ limit: 10_001 })],
    ["offset", OPTION, () => store.listRuns({ offset: 0.5 })],
    ["status", OPTION, () => store.listRuns({ status: any("asleep") })],
    ["workflow", NAME, () => store.listRuns({ workflow: " " })],
    ["parentRunId", NAME, () => store.listRuns({ parentRunId: "" })],
    ["limit", OPTION, () => store.listRunnableRuns({ limit: any("1") })],
    ["topic", NAME, () => store.listWatchers("")],
    ["topic", NAME, () => store.runsWaitingOn("a b")],
    ["limit", OPTION, () => store.pendingContinuations(-1)],
    ["continuations", OPTION, () => store.confirmContinuations(any({}))],
    ["run id", NAME, async () => store.watch("a b").next()],
  ];
}

function badChanges(bench: WorkflowStoreBench, claim: Parameters<WorkflowStoreBench["save"]>[0]): readonly Refused[] {
  const { store } = bench;
  const save = (change: object) => bench.save(claim, aStep("a", 1, change));
  const wait = (change: object) => store.suspend(claim, [any({ step: "w", kind: "event", topic: "t", ...change })]);
  return [
    ["ownerId", NAME, () => bench.tryClaim("r1", { ownerId: "" })],
    ["leaseDuration", OPTION, () => bench.tryClaim("r1", { leaseDuration: 0 })],
    ["continuation", OPTION, () => bench.tryClaim("r1", { continuation: -1 })],
    ["fence", OPTION, () => bench.tryClaim("r1", { fence: any("1") })],
    ["claim", OPTION, () => store.renewRunLease(any(null), LEASE)],
    ["claim.token", OPTION, () => store.renewRunLease({ ...claim, token: any("1") }, LEASE)],
    ["leaseDuration", OPTION, () => store.renewRunLease(claim, Number.NaN)],
    ["delay", OPTION, () => store.releaseRun(claim, { delay: -1 })],
    ["error.meta", OPTION, () => store.releaseRun(claim, { error: any({ ...anError(), meta: null }) })],
    ["step", NAME, () => save({ name: "a b", baseName: "a b" })],
    ["step.name", OPTION, () => save({ name: "b" })],
    ["step.iteration", OPTION, () => save({ iteration: -1 })],
    ["step.kind", OPTION, () => save({ kind: "other" })],
    ["step.value", JSON_FORM, () => save({ value: Number.NaN })],
    ["step.value", SIZE, () => save({ value: BIG })],
    ["step.attempts", OPTION, () => save({ attempts: "1" })],
    ["step.startedAt", OPTION, () => save({ startedAt: new Date(Number.NaN) })],
    ["leaseDuration", OPTION, () => store.saveStep(claim, aStep("a"), any(undefined))],
    ["run id", NAME, () => store.saveStep(claim, aStep("a"), { leaseDuration: LEASE, child: aRun("") })],
    ["waits", OPTION, () => store.suspend(claim, any("all"))],
    ["waits[0].kind", OPTION, () => wait({ kind: "other" })],
    ["waits[0].step", NAME, () => wait({ step: "" })],
    ["waits[0].topic", OPTION, () => wait({ topic: undefined })],
    ["topic", NAME, () => wait({ topic: "a b" })],
    ["waits[0].topic", OPTION, () => wait({ kind: "sleep", resumeAt: new Date(0) })],
    ["waits[0].resumeAt", OPTION, () => wait({ kind: "sleep", topic: undefined })],
    ["waits[0].resumeAt", OPTION, () => wait({ resumeAt: new Date(Number.NaN) })],
    ["waits[0].expected", OPTION, () => wait({ kind: "tasks", topic: undefined })],
    ["waits[0].expected", OPTION, () => wait({ kind: "tasks", topic: undefined, expected: -1 })],
    ["waits[0].attempts", OPTION, () => wait({ attempts: 1 })],
    ["waits[0].data.x", JSON_FORM, () => wait({ data: { x: 1n } })],
    [
      "waits[1].step",
      OPTION,
      () =>
        store.suspend(
          claim,
          [0, 1].map(() => ({ step: "w", kind: "event", topic: "t" }) as const),
        ),
    ],
    ["result", JSON_FORM, () => store.markCompleted(claim, any(undefined))],
    ["result", SIZE, () => store.markCompleted(claim, BIG)],
    ["step", NAME, () => store.markCompleted(claim, 1, aStep(""))],
    ["error.type", OPTION, () => store.markFailed(claim, any({ ...anError(), type: 1 }))],
    ["error", OPTION, () => store.markFailed(claim, any("no"))],
    ["reason", OPTION, () => store.cancel("r1", { reason: any(1) })],
    ["compensate", OPTION, () => store.cancel("r1", { compensate: any(1) })],
    ["step", NAME, () => store.rewindToStep("r1", "")],
    ["run id", NAME, () => store.resumeRun("")],
    ["topic", NAME, () => store.emit("a b", 1)],
    ["payload", JSON_FORM, () => store.emit("t", any(undefined))],
    ["payload", SIZE, () => store.emit("t", BIG)],
    ["eventId", OPTION, () => store.emit("t", 1, { eventId: "" })],
    ["ttl", OPTION, () => store.emit("t", 1, { ttl: -1 })],
    ["end.index", OPTION, () => store.recordTaskEnd({ runId: "r1", step: "a", index: -1, value: 1 })],
    ["end.value", JSON_FORM, () => store.recordTaskEnd({ runId: "r1", step: "a", index: 0, value: any(undefined) })],
    ["grace", OPTION, () => store.recoverRuns(any({ maxRecoveries: 1, limit: 1 }))],
    ["maxRecoveries", OPTION, () => store.recoverRuns({ grace: 1, maxRecoveries: -1, limit: 1 })],
    ["limit", OPTION, () => store.recoverRuns({ grace: 1, maxRecoveries: 1, limit: 1.5 })],
  ];
}

/** What is refused, by a typed error that says what and where, before any effect. */
export function describeBadInput(open: OpenWorkflowStoreFixture): void {
  describe("bad input", () => {
    it(
      "is refused with the path of what is wrong, and changes nothing",
      onBench(
        open,
        async (bench) => {
          const claim = await bench.start("r1");
          const before = [await bench.store.listRuns(), await bench.due()];
          for (const [what, code, call] of [...badRuns(bench), ...badReads(bench), ...badChanges(bench, claim)]) {
            await expectError(call, code);
            const error: unknown = await Promise.resolve()
              .then(call)
              .catch((thrown: unknown) => thrown);
            expect((error as Error).message, what).toContain(what);
          }
          expect([await bench.store.listRuns(), await bench.due()]).toEqual(before);
          await bench.save(claim, aStep("a"));
          expect(await bench.store.listWatchers("t")).toEqual([]);
        },
        { maxPayloadBytes: 200 },
      ),
    );

    it(
      "is nothing at the limits",
      onBench(
        open,
        async (bench) => {
          const runId = "x".repeat(150);
          const step = `${"s".repeat(200)}#9007199254740991`;
          const claim = await bench.start(runId, { params: { a: "y".repeat(192) } });
          await bench.save(claim, aStep(step, "z".repeat(198)));
          await bench.store.suspend(claim, [{ step: "e#0", kind: "event", topic: "ünï:code/1" }]);
          expect((await bench.store.emit("ünï:code/1", 1)).resolutions).toHaveLength(1);
          expect(await bench.due()).toEqual([`${runId}:3:event`]);
          expect(await bench.store.rewindToStep(runId, step)).toBe(true);
        },
        { maxPayloadBytes: 200 },
      ),
    );
  });
}
