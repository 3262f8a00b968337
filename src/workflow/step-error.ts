import type { TaskError } from "../contracts/result-backend.ts";
import { describeThrown } from "../core/task-error.ts";
import { PayloadNotSerializableError, PayloadTooLargeError, StemError } from "../errors.ts";

/** What is stored of whatever a step or a workflow threw. Never throws. */
export function toStepError(thrown: unknown): TaskError {
  const { type, message, stack, meta } = describeThrown(thrown);
  const retryable = !(thrown instanceof StemError) || thrown.retryable;
  return { type, message, ...(stack === undefined ? {} : { stack }), retryable, meta };
}

/** Whether a store refused a value for what it is: it would again. */
export function isPayloadFault(error: unknown): boolean {
  return error instanceof PayloadTooLargeError || error instanceof PayloadNotSerializableError;
}
