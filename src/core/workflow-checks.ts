import { checkDuration } from "./duration.ts";
import { type JsonValue, stringifyJsonWithin, stringifyObjectWithin } from "./json.ts";
import { checkName } from "./names.ts";
import {
  checkBoolean,
  checkDate,
  checkInteger,
  checkObject,
  checkOneOf,
  checkText,
  checkThat,
  mergeOptions,
} from "./options.ts";
import { encodeTaskError } from "./task-error.ts";
import type { WaitRow } from "./workflow-rows.ts";
import type {
  CheckpointKind,
  ClaimRequest,
  NewRun,
  NewWait,
  RunClaim,
  StepWrite,
  TaskEnd,
  WaitKind,
  WorkflowCancellationPolicy,
  WorkflowQueues,
} from "./workflow-model.ts";

/** Longest id of a run: the ids of its messages are longer, and have to be names as well. */
const MAX_RUN_ID = 150;
/** Longest reason of a cancellation, in UTF-16 units. */
const MAX_REASON = 1_000;
const MAX_OFFSET = Number.MAX_SAFE_INTEGER - 10_000;
const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER } as const;
const CHECKPOINT_KINDS: readonly CheckpointKind[] = [
  "step",
  "sleep",
  "event",
  "child",
  "tasks",
  "task",
  "patch",
  "compensation",
  "failure",
];
const WAIT_KINDS: readonly WaitKind[] = ["sleep", "event", "child", "tasks", "retry"];
const POLICY_DEFAULTS = { maxRunDuration: undefined, maxSuspendDuration: undefined };

/** A run to be created, checked and encoded. */
export interface EncodedRun {
  readonly runId: string;
  readonly workflow: string;
  readonly version: number;
  readonly params: string;
  readonly metadata: string;
  readonly queues: string;
  readonly parentRunId: string | null;
  /** 1 or 0. */
  readonly endsWithParent: number;
  readonly ttl: number;
  readonly policy: string | null;
}

/** A checkpoint to be stored, checked and encoded. */
export interface EncodedStep {
  readonly name: string;
  readonly baseName: string;
  readonly iteration: number | null;
  readonly kind: CheckpointKind;
  readonly value: string;
  readonly error: string | null;
  readonly attempts: number;
  readonly startedAt: number;
}

export type EncodedWait = Omit<WaitRow, "createdAt">;

export interface EncodedClaimRequest {
  readonly ownerId: string;
  readonly leaseMs: number;
  readonly continuation: number | null;
  readonly fence: number | null;
}

export interface EncodedTaskEnd {
  readonly runId: string;
  readonly step: string;
  readonly index: number;
  /** JSON of a `CountedTaskEnd`. */
  readonly end: string;
}

/** What values of a store may take, and how long its runs are kept unless they say so themselves. */
export interface WorkflowBounds {
  readonly defaultRunTtl: number;
  /** Bytes of JSON, for each value. */
  readonly maxPayloadBytes: number;
}

/** Returns `value` when it can be the id of a run: a name of at most 150 characters. */
export function checkRunId(value: unknown, option: string = "run id"): string {
  const runId = checkName(option, value);
  checkThat(option, value, runId.length <= MAX_RUN_ID, `at most ${MAX_RUN_ID} characters`);
  return runId;
}

/** Returns `value` when it can name a checkpoint: a name, with `#` and a number behind it where it is one of several. */
export function checkCheckpointName(value: unknown, option: string = "step"): string {
  checkName(option, typeof value === "string" ? value.replace(/#\d{1,16}$/, "") : value);
  return value as string;
}

/** Checks and encodes a run; throws a typed error that names what is wrong. */
export function encodeRun(run: NewRun, { defaultRunTtl, maxPayloadBytes }: WorkflowBounds): EncodedRun {
  checkObject("run", run);
  const { metadata = {}, parentRunId, endsWithParent = false, ttl = defaultRunTtl, cancellationPolicy } = run;
  return {
    runId: checkRunId(run.runId),
    workflow: checkName("workflow", run.workflow),
    version: checkInteger("version", run.version, COUNT),
    params: stringifyObjectWithin(run.params, "params", maxPayloadBytes),
    metadata: stringifyObjectWithin(metadata, "metadata", maxPayloadBytes),
    queues: encodeQueues(run.queues),
    parentRunId: parentRunId === undefined ? null : checkRunId(parentRunId, "parentRunId"),
    endsWithParent: Number(checkBoolean("endsWithParent", endsWithParent)),
    ttl: Math.ceil(checkDuration("ttl", ttl)),
    policy: encodePolicy(cancellationPolicy),
  };
}

/** Checks and encodes a checkpoint. */
export function encodeStep(step: StepWrite, maxBytes: number): EncodedStep {
  checkObject("step", step);
  const { iteration, error } = step;
  const baseName = checkName("step", step.baseName);
  if (iteration !== undefined) checkInteger("step.iteration", iteration, COUNT);
  const name = iteration === undefined ? baseName : `${baseName}#${iteration}`;
  checkThat("step.name", step.name, step.name === name, `"${name}", by its base name`);
  return {
    name,
    baseName,
    iteration: iteration ?? null,
    kind: checkOneOf("step.kind", step.kind, CHECKPOINT_KINDS),
    value: stringifyJsonWithin(step.value, "step.value", maxBytes),
    error: error === undefined ? null : encodeTaskError(error, maxBytes),
    attempts: checkInteger("step.attempts", step.attempts, COUNT),
    startedAt: checkDate("step.startedAt", step.startedAt).getTime(),
  };
}

/** Checks and encodes waits, each of a name of its own. */
export function encodeWaits(waits: readonly NewWait[], maxBytes: number): EncodedWait[] {
  checkThat("waits", waits, Array.isArray(waits), "an array of waits");
  const encoded = waits.map((wait: NewWait, index) => encodeWait(wait, `waits[${index}]`, maxBytes));
  const names = new Set<string>();
  for (const [index, { step }] of encoded.entries()) {
    checkThat(`waits[${index}].step`, step, !names.has(step), "a name that no other wait has");
    names.add(step);
  }
  return encoded;
}

function encodeWait(wait: NewWait, path: string, maxBytes: number): EncodedWait {
  checkObject(path, wait);
  const { topic, resumeAt, expected, attempts, error, data } = wait;
  const kind = checkOneOf(`${path}.kind`, wait.kind, WAIT_KINDS);
  const isTimed = kind === "sleep" || kind === "retry";
  const needs = (name: keyof NewWait, isNeeded: boolean): void => {
    const isGiven = wait[name] !== undefined;
    checkThat(`${path}.${name}`, wait[name], isGiven === isNeeded, `${isNeeded ? "given" : "absent"} with "${kind}"`);
  };
  needs("topic", kind === "event" || kind === "child");
  needs("expected", kind === "tasks");
  if (isTimed) needs("resumeAt", true);
  if (kind !== "retry") for (const name of ["attempts", "error"] as const) needs(name, false);
  return {
    step: checkCheckpointName(wait.step, `${path}.step`),
    kind,
    topic: topic === undefined ? null : kind === "child" ? checkRunId(topic) : checkName("topic", topic),
    resumeAt: resumeAt === undefined ? null : checkDate(`${path}.resumeAt`, resumeAt).getTime(),
    expected: expected === undefined ? null : checkInteger(`${path}.expected`, expected, COUNT),
    attempts: attempts === undefined ? null : checkInteger(`${path}.attempts`, attempts, COUNT),
    error: error === undefined ? null : encodeTaskError(error, maxBytes),
    data: data === undefined ? null : stringifyObjectWithin(data, `${path}.data`, maxBytes),
  };
}

/** Checks a request for a claim. */
export function encodeClaimRequest(request: ClaimRequest): EncodedClaimRequest {
  checkObject("request", request);
  const { continuation, fence } = request;
  return {
    ownerId: checkName("ownerId", request.ownerId),
    leaseMs: checkLease(request.leaseDuration),
    continuation: continuation === undefined ? null : checkInteger("continuation", continuation, COUNT),
    fence: fence === undefined ? null : checkInteger("fence", fence, COUNT),
  };
}

/** Checks what a claim is named by. */
export function checkClaim(claim: RunClaim): RunClaim {
  checkObject("claim", claim);
  const { runId, ownerId, token } = claim;
  return {
    runId: checkRunId(runId),
    ownerId: checkName("ownerId", ownerId),
    token: checkInteger("claim.token", token, COUNT),
  };
}

/** Checks the length of a lease, in whole milliseconds. */
export function checkLease(value: unknown): number {
  return Math.ceil(checkDuration("leaseDuration", value, { min: 1 }));
}

/** Checks and encodes the end of a task. */
export function encodeTaskEnd(taskEnd: TaskEnd, maxBytes: number): EncodedTaskEnd {
  checkObject("end", taskEnd);
  const { runId, step, index, value, error } = taskEnd;
  const text = stringifyJsonWithin(value, "end.value", maxBytes);
  return {
    runId: checkRunId(runId),
    step: checkCheckpointName(step),
    index: checkInteger("end.index", index, COUNT),
    end: `{"value":${text}${error === undefined ? "" : `,"error":${encodeTaskError(error, maxBytes)}`}}`,
  };
}

/** Checks why a run is cancelled. */
export function checkReason(reason: unknown): string {
  const text = checkText("reason", reason);
  checkThat("reason", reason, text.length <= MAX_REASON, `at most ${MAX_REASON} characters`);
  return text;
}

/** Checks the number of entries asked for. */
export function checkLimit(value: unknown): number {
  return checkInteger("limit", value, { min: 0, max: 10_000 });
}

/** Checks how many entries are left out at the beginning. */
export function checkOffset(value: unknown): number {
  return checkInteger("offset", value, { min: 0, max: MAX_OFFSET });
}

/** Checks the payload of an event. */
export function encodePayload(payload: JsonValue, maxBytes: number): string {
  return stringifyJsonWithin(payload, "payload", maxBytes);
}

function encodeQueues(queues: WorkflowQueues): string {
  checkObject("queues", queues);
  const { orchestrationQueue, continuationQueue, executionQueue } = queues;
  return JSON.stringify({
    orchestrationQueue: checkName("orchestrationQueue", orchestrationQueue),
    continuationQueue: checkName("continuationQueue", continuationQueue),
    executionQueue: checkName("executionQueue", executionQueue),
  });
}

function encodePolicy(policy: WorkflowCancellationPolicy | undefined): string | null {
  if (policy === undefined) return null;
  const limits: Record<string, unknown> = mergeOptions<Record<string, unknown>>(
    POLICY_DEFAULTS,
    policy as Record<string, unknown>,
    "cancellationPolicy",
  );
  for (const [name, limit] of Object.entries(limits)) {
    if (limit !== undefined) checkDuration(`cancellationPolicy.${name}`, limit, { min: 1 });
  }
  return JSON.stringify(limits);
}
