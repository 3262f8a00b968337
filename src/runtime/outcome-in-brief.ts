import type { DeliveryEnd, DeliveryOutcome } from "../contracts/delivery-settler.ts";
import type { TaskError } from "../contracts/result-backend.ts";
import { runMeta } from "./run-conclusion.ts";
import { statusMeta } from "./status-meta.ts";
import type { TaskRun } from "./task-run.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

/** Longest error message in a brief outcome, in UTF-16 units. */
const BRIEF_MESSAGE_LENGTH = 100;

/**
 * The same outcome without what may have been too large for the backend or the broker: the message's own meta, the
 * stack, and most of a long error message.
 */
export function inBrief(
  run: TaskRun,
  outcome: DeliveryOutcome,
  { consumerName }: Pick<ResolvedWorkerOptions, "consumerName">,
): DeliveryOutcome {
  const { status, end, ...rest } = outcome;
  const { error, ...withoutError } = status;
  const meta = statusMeta({ ...run.envelope, meta: {} }, runMeta(consumerName, run.startedAt));
  const brief = error === undefined ? {} : { error: briefError(error) };
  return { ...rest, end: briefEnd(end, brief.error), status: { ...withoutError, ...brief, meta } };
}

function briefError({ type, message, retryable }: TaskError): TaskError {
  return { type, message: message.slice(0, BRIEF_MESSAGE_LENGTH), retryable, meta: {} };
}

function briefEnd(end: DeliveryEnd, error: TaskError | undefined): DeliveryEnd {
  if (end.kind !== "dead-letter" || error === undefined) return end;
  return { ...end, meta: { error: `${error.type}: ${error.message}` } };
}
