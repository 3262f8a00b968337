import type { DeliveryOutcome } from "../contracts/delivery-settler.ts";
import type { StatusWrite, TaskError } from "../contracts/result-backend.ts";
import type { RetryRequest } from "../contracts/task-handler.ts";
import type { Milliseconds } from "../core/duration.ts";
import { copyEnvelope, type Envelope } from "../core/envelope.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { isName } from "../core/names.ts";
import { HEADER_NAMES, META_KEYS } from "../core/reserved-keys.ts";
import { mayRetry, type ResolvedRetryPolicy, resolveRetryPolicy, retryPolicyToJson } from "../core/retry-policy.ts";
import { describeThrown } from "../core/task-error.ts";
import { isTerminal, type TaskState } from "../core/task-state.ts";
import { statusMeta } from "./status-meta.ts";
import type { TaskRun, TaskVerdict } from "./task-run.ts";
import type { WorkerEventInput } from "./worker-events.ts";

/** What the conclusion of a run depends on besides its verdict. */
export interface RunFacts {
  readonly run: TaskRun;
  readonly workerId: string;
  readonly now: number;
  readonly policy: ResolvedRetryPolicy | undefined;
  /** Delay before the next attempt under a policy, or under the worker's strategy without one. */
  readonly delay: (policy: ResolvedRetryPolicy | undefined) => Milliseconds;
}

/** What is to be stored for a run, and what is to be told once it is. */
export interface RunConclusion {
  readonly outcome: DeliveryOutcome;
  readonly event: WorkerEventInput;
}

/** The verdicts that end in something stored. */
export type ConcludedVerdict = Exclude<TaskVerdict, { readonly kind: "give-back" | "lease-lost" }>;

/** Turns a verdict into what is stored. Pure: the same facts give the same conclusion. */
export function concludeRun(verdict: ConcludedVerdict, facts: RunFacts): RunConclusion {
  const { envelope } = facts.run;
  switch (verdict.kind) {
    case "succeeded":
      return conclude(facts, "succeeded", { completedAt: isoNow(facts) }, { payload: verdict.payload });
    case "revoked":
      return concludeRevoked(verdict, facts);
    case "expired": {
      const error = runtimeError("TaskExpired", `Task "${envelope.id}" was not started before it expired.`);
      return conclude(facts, "cancelled", { [META_KEYS.expired]: true, expiredAt: isoNow(facts) }, { error });
    }
    case "unregistered": {
      const error = runtimeError("UnknownTask", `No handler is registered for task "${envelope.name}".`);
      return concludeFailed(facts, error, "unregistered-task");
    }
    case "retry":
      return concludeRequest(verdict.request, facts);
    case "failed":
      return concludeThrown(verdict.thrown, facts);
  }
}

function concludeRevoked({ entry }: Extract<TaskVerdict, { kind: "revoked" }>, facts: RunFacts): RunConclusion {
  const { reason, requestedBy, issuedAt } = entry;
  const meta = {
    revoked: true,
    revokedAt: issuedAt.toISOString(),
    ...(reason === undefined ? {} : { revokedReason: reason }),
    ...(requestedBy === undefined ? {} : { revokedBy: requestedBy }),
  };
  const { outcome } = conclude(facts, "cancelled", meta, {});
  const { envelope } = facts.run;
  const who = { ...(reason === undefined ? {} : { reason }), ...(requestedBy === undefined ? {} : { requestedBy }) };
  return { outcome, event: { type: "revoked", envelope, ...who } };
}

function concludeThrown(thrown: unknown, facts: RunFacts): RunConclusion {
  const { envelope, isBroadcast } = facts.run;
  const described = describeThrown(thrown);
  const retryable = !isBroadcast && mayRetry(facts.policy, described.type, envelope.attempt, envelope.maxRetries);
  const error: TaskError = { ...described, retryable };
  if (!retryable) return concludeFailed(facts, error, "max-retries-exhausted");
  return concludeRetried(facts, error, facts.delay(facts.policy), {});
}

function concludeRequest(request: RetryRequest, facts: RunFacts): RunConclusion {
  const { envelope, isBroadcast } = facts.run;
  const policy = request.retryPolicy === undefined ? facts.policy : resolveRetryPolicy(request.retryPolicy);
  const maxRetries = request.maxRetries ?? policy?.maxRetries ?? envelope.maxRetries;
  if (isBroadcast || envelope.attempt >= maxRetries) {
    const message = `Task "${envelope.id}" asked for a retry after all ${maxRetries} were used.`;
    return concludeFailed(facts, runtimeError("RetryExhausted", message), "max-retries-exhausted");
  }
  const error = { ...runtimeError("RetryRequested", "The task asked to be run again."), retryable: true };
  const wanted = request.eta === undefined ? request.countdown : request.eta.getTime() - facts.now;
  return concludeRetried(facts, error, wanted ?? facts.delay(policy), {
    maxRetries,
    meta: { ...envelope.meta, ...metaOfRequest(request, policy, maxRetries) },
  });
}

/** What a request changes stays for all later attempts. */
function metaOfRequest(request: RetryRequest, policy: ResolvedRetryPolicy | undefined, maxRetries: number): JsonObject {
  const meta: Record<string, JsonValue> = {};
  // A policy's own number of retries would win over the envelope's.
  const isPolicyChanged = request.retryPolicy !== undefined || request.maxRetries !== undefined;
  if (policy !== undefined && isPolicyChanged) {
    const stored = policy.maxRetries === undefined ? policy : { ...policy, maxRetries };
    meta[META_KEYS.retryPolicy] = retryPolicyToJson(stored);
  }
  if (request.timeLimit !== undefined) meta[META_KEYS.timeLimitMs] = request.timeLimit;
  if (request.softTimeLimit !== undefined) meta[META_KEYS.softTimeLimitMs] = request.softTimeLimit;
  return meta;
}

function concludeRetried(
  facts: RunFacts,
  error: TaskError,
  delayMs: Milliseconds,
  changes: { readonly maxRetries?: number; readonly meta?: JsonObject },
): RunConclusion {
  const { envelope } = facts.run;
  const delay = Math.max(0, delayMs);
  const nextAttemptAt = new Date(facts.now + delay);
  const next = copyEnvelope(envelope, {
    ...changes,
    attempt: envelope.attempt + 1,
    notBefore: delay === 0 ? null : nextAttemptAt,
  });
  const { outcome } = conclude(facts, "retried", { retryDelayMs: delay }, { error });
  const event = { type: "retried", envelope, error, nextAttemptAt } as const;
  return { outcome: { ...outcome, end: { kind: "retry", next } }, event };
}

function concludeFailed(facts: RunFacts, error: TaskError, reason: string): RunConclusion {
  const { outcome } = conclude(facts, "failed", { failedAt: isoNow(facts) }, { error });
  const meta = { error: `${error.type}: ${error.message}` };
  const event = { type: "failed", envelope: facts.run.envelope, error } as const;
  return { outcome: { ...outcome, end: { kind: "dead-letter", reason, meta } }, event };
}

/** The common part of all conclusions, with an ack and the event of a state that needs nothing special. */
function conclude(
  facts: RunFacts,
  state: TaskState,
  meta: JsonObject,
  content: Pick<StatusWrite, "payload" | "error">,
): RunConclusion {
  const { run, workerId } = facts;
  const { envelope, delivery } = run;
  const groupId = isTerminal(state) ? groupOf(envelope) : undefined;
  const status: StatusWrite = {
    taskId: envelope.id,
    state,
    ...content,
    attempt: envelope.attempt,
    meta: statusMeta(envelope, { ...runMeta(workerId, run.startedAt), ...meta }),
    // Deliveries of a broadcast have no token, and no order.
    ...(run.isBroadcast ? {} : { fence: delivery.token }),
  };
  return {
    outcome: { end: { kind: "ack" }, status, ...(groupId === undefined ? {} : { groupId }) },
    event: { type: state === "cancelled" ? "expired" : "completed", envelope },
  };
}

/** Who ran the task, and since when. */
export function runMeta(workerId: string, startedAt: string | undefined): JsonObject {
  return startedAt === undefined ? { worker: workerId } : { worker: workerId, startedAt };
}

/** The group of the header. There can be none by a name that names may not be. */
export function groupOf(envelope: Envelope): string | undefined {
  const groupId = envelope.headers[HEADER_NAMES.groupId];
  return groupId !== undefined && isName(groupId) ? groupId : undefined;
}

function runtimeError(type: string, message: string): TaskError {
  return { type, message, retryable: false, meta: {} };
}

function isoNow(facts: RunFacts): string {
  return new Date(facts.now).toISOString();
}
