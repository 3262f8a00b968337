import type { WorkflowPlace } from "../../adapters/sqlite/operations/workflow-run-changes.ts";
import type { EncodedRun, EncodedStep, EncodedWait } from "../../src/core/workflow-checks.ts";
import type { RunClaim } from "../../src/core/workflow-model.ts";
import { RunLeaseLostError } from "../../src/error-workflow.ts";
import { type DatabaseContent, tablesOf } from "./history-content.ts";
import type { WorkloadScope, WorkloadStep } from "./workload-step.ts";

/** Where continuations become messages, apart from those that the model of the broker counts. */
const BROKER_NAMESPACE = "flows";
const LEASE_MS = 5_000;
const RUNS = 12;
const TOPICS = ["paid", "sent"] as const;
const QUEUES = JSON.stringify({ orchestrationQueue: "wf", continuationQueue: "wf", executionQueue: "work" });
const ERROR = `{"type":"Error","message":"no","retryable":false,"meta":{}}`;

/** Everything a workflow store is asked to do. */
export const WORKFLOW_STEPS: readonly WorkloadStep[] = [
  { name: "createRun", weight: 4, run: createRun },
  { name: "claimRun", weight: 8, run: claimRun },
  { name: "saveStep", weight: 6, run: byClaim("saveStep", saveStep) },
  { name: "suspendRun", weight: 5, run: byClaim("suspendRun", suspendRun) },
  { name: "releaseRun", weight: 1, run: byClaim("releaseRun", releaseRun) },
  { name: "renewRun", weight: 1, run: byClaim("renewRun", renewRun) },
  { name: "markRunCompleted", weight: 1.5, run: byClaim("markRunCompleted", markRunCompleted) },
  { name: "markRunFailed", weight: 1, run: byClaim("markRunFailed", markRunFailed) },
  { name: "emitEvent", weight: 3, run: emitEvent },
  { name: "recordTaskEnd", weight: 2, run: recordTaskEnd },
  { name: "cancelRun", weight: 1, run: cancelRun },
  { name: "rewindRun", weight: 1, run: rewindRun },
  { name: "resumeRun", weight: 1, run: resumeRun },
  { name: "recoverRuns", weight: 0.7, run: recoverRuns },
  { name: "confirmContinuations", weight: 1, run: confirmContinuations },
  { name: "pruneWorkflows", weight: 0.5, run: pruneWorkflows },
  { name: "pass", weight: 3, alone: true, run: ({ session }) => session.clock.advance(session.integer(1, 4_000)) },
];

/** The claims of one workload, current or not. */
const held = new WeakMap<WorkloadScope, (RunClaim & WorkflowPlace)[]>();

/**
 * What is wrong with the runs of a content; `undefined` when nothing is: no run has a continuation but its present one,
 * and one that sleeps until some instant has that as a message, for nobody takes the messages of this workload.
 */
export function objectionToRuns(content: DatabaseContent): string | undefined {
  const tables = tablesOf(content);
  const messages = (tables["queue_jobs"] ?? []).filter((row) => row["namespace"] === BROKER_NAMESPACE);
  const outbox = (tables["wf_outbox"] ?? []).map((row) => `${String(row["run_id"])}:${String(row["number"])}`);
  const stored: Readonly<Record<string, readonly string[]>> = {
    red: messages.map(({ id }) => String(id)),
    blue: outbox,
  };
  const wrong = (tables["wf_runs"] ?? []).flatMap((run) => {
    const [namespace, name] = [String(run["namespace"]), String(run["run_id"])];
    const present = `${name}:${String(run["continuation"])}`;
    const found = (stored[namespace] ?? []).filter((id) => id.replace(/:\d+$/, "") === name);
    const isDue = run["continuation_at"] !== null;
    const isMissing = namespace === "red" && isDue && run["status"] === "suspended" && found.length === 0;
    const isWrong = isMissing || found.some((id) => id !== present || !isDue);
    return isWrong ? [`${namespace} ${present}, due at ${String(run["continuation_at"])}: ${found.join()}`] : [];
  });
  return wrong.length === 0 ? undefined : JSON.stringify(wrong);
}

function byClaim(
  name: string,
  use: (scope: WorkloadScope, claim: WorkflowPlace & Readonly<{ claim: RunClaim }>) => Promise<unknown>,
): WorkloadStep["run"] {
  return async (scope) => {
    const claims = held.get(scope) ?? [];
    const found = claims[scope.session.integer(0, claims.length - 1)];
    if (found === undefined) return;
    const { namespace, brokerNamespace, ...claim } = found;
    try {
      await use(scope, { namespace, brokerNamespace, claim });
    } catch (error) {
      if (!(error instanceof RunLeaseLostError)) throw new Error(`${name} failed.`, { cause: error });
    }
  };
}

/** Runs of the one namespace go on by messages, those of the other by the outbox. */
const PLACES: readonly WorkflowPlace[] = [
  { namespace: "red", brokerNamespace: BROKER_NAMESPACE },
  { namespace: "blue", brokerNamespace: null },
];

function placeOf({ session }: WorkloadScope): WorkflowPlace {
  return session.pick(PLACES);
}

function aRunId({ session }: WorkloadScope): string {
  return `run-${session.integer(0, RUNS)}`;
}

async function createRun(scope: WorkloadScope): Promise<void> {
  const { session } = scope;
  const runId = aRunId(scope);
  const run: EncodedRun = {
    runId,
    workflow: "order",
    version: 1,
    params: JSON.stringify({ text: "p".repeat(session.integer(0, 400)) }),
    metadata: "{}",
    queues: QUEUES,
    parentRunId: session.chance(0.4) ? aRunId(scope) : null,
    endsWithParent: session.integer(0, 1),
    ttl: session.integer(0, 20_000),
    policy: session.chance(0.2) ? `{"maxSuspendDuration":${session.integer(1_000, 9_000)}}` : null,
  };
  await session.call("createRun", { ...placeOf(scope), run }).catch(() => undefined);
}

async function claimRun(scope: WorkloadScope): Promise<void> {
  const runId = aRunId(scope);
  const place = placeOf(scope);
  const ownerId = `w${scope.session.integer(0, 2)}`;
  const request = { ownerId, leaseMs: LEASE_MS, continuation: null, fence: null };
  const outcome = await scope.session.call("claimRun", { ...place, runId, request });
  if (outcome.kind !== "claimed") return;
  const claims = held.get(scope) ?? [];
  held.set(scope, [...claims.slice(-4), { ...place, runId, ownerId, token: outcome.token }]);
}

function aStep({ session }: WorkloadScope): EncodedStep {
  const baseName = `step-${session.integer(0, 6)}`;
  const value = JSON.stringify("v".repeat(session.integer(0, 600)));
  const error = session.chance(0.1) ? ERROR : null;
  return { name: baseName, baseName, iteration: null, kind: "step", value, error, attempts: 1, startedAt: 1 };
}

async function saveStep(scope: WorkloadScope, claim: WorkflowPlace & Readonly<{ claim: RunClaim }>): Promise<void> {
  await scope.session.call("saveStep", { ...claim, step: aStep(scope), leaseMs: LEASE_MS, child: null });
}

async function suspendRun(scope: WorkloadScope, claim: WorkflowPlace & Readonly<{ claim: RunClaim }>): Promise<void> {
  const { session } = scope;
  const resumeAt = session.clock.now() + session.integer(0, 8_000);
  const plain = { expected: null, attempts: null, error: null, data: null };
  const wait = (kind: EncodedWait["kind"], change: Partial<EncodedWait>): EncodedWait => ({
    ...{ step: `wait-${session.integer(0, 6)}-${kind}`, kind, topic: null, resumeAt: null, ...plain },
    ...change,
  });
  const waits = [
    wait("sleep", { resumeAt }),
    wait("event", { topic: session.pick(TOPICS), resumeAt: session.chance(0.3) ? resumeAt : null }),
    wait("child", { topic: aRunId(scope) }),
    wait("tasks", { step: "fan", expected: 2 }),
    wait("retry", { step: "step-1", resumeAt, attempts: 1, error: ERROR }),
  ];
  await session.call("suspendRun", { ...claim, waits: waits.filter(() => session.chance(0.4)) });
}

async function releaseRun({ session }: WorkloadScope, claim: WorkflowPlace & { claim: RunClaim }): Promise<void> {
  await session.call("releaseRun", { ...claim, delay: session.integer(0, 2_000), error: ERROR });
}

async function renewRun({ session }: WorkloadScope, claim: WorkflowPlace & { claim: RunClaim }): Promise<void> {
  await session.call("renewRun", { ...claim, leaseMs: LEASE_MS });
}

async function markRunCompleted(scope: WorkloadScope, claim: WorkflowPlace & { claim: RunClaim }): Promise<void> {
  await scope.session.call("markRunCompleted", { ...claim, result: "1", step: aStep(scope) });
}

async function markRunFailed({ session }: WorkloadScope, claim: WorkflowPlace & { claim: RunClaim }): Promise<void> {
  await session.call("markRunFailed", { ...claim, error: ERROR });
}

async function emitEvent(scope: WorkloadScope): Promise<void> {
  const { session } = scope;
  const eventId = session.chance(0.5) ? `event-${session.integer(0, 9)}` : null;
  const event = { topic: session.pick(TOPICS), payload: "1", eventId, ttl: session.integer(0, 9_000) };
  await session.call("emitEvent", { ...placeOf(scope), ...event });
}

async function recordTaskEnd(scope: WorkloadScope): Promise<void> {
  const runId = aRunId(scope);
  const end = { runId, step: "fan", index: scope.session.integer(0, 1), end: `{"value":1}` };
  await scope.session.call("recordTaskEnd", { ...placeOf(scope), end });
}

async function cancelRun(scope: WorkloadScope): Promise<void> {
  const runId = aRunId(scope);
  const compensate = scope.session.chance(0.5);
  await scope.session.call("cancelRun", { ...placeOf(scope), runId, reason: "no", compensate });
}

async function rewindRun(scope: WorkloadScope): Promise<void> {
  const runId = aRunId(scope);
  const step = `step-${scope.session.integer(0, 6)}`;
  await scope.session.call("rewindRun", { ...placeOf(scope), runId, step });
}

async function resumeRun(scope: WorkloadScope): Promise<void> {
  const runId = aRunId(scope);
  await scope.session.call("resumeRun", { ...placeOf(scope), runId });
}

async function recoverRuns(scope: WorkloadScope): Promise<void> {
  const bounds = { grace: 1_000, maxRecoveries: 2, limit: 5 };
  await scope.session.call("recoverRuns", { ...placeOf(scope), ...bounds });
}

async function confirmContinuations({ session }: WorkloadScope): Promise<void> {
  const refs = await session.call("pendingContinuations", { namespace: "blue", limit: session.integer(0, 2) });
  await session.call("confirmContinuations", { namespace: "blue", refs });
}

async function pruneWorkflows(scope: WorkloadScope): Promise<void> {
  const { namespace } = placeOf(scope);
  await scope.session.call("pruneWorkflows", { namespace });
}
