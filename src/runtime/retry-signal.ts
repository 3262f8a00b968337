import type { RetryRequest } from "../contracts/task-handler.ts";
import { checkDuration } from "../core/duration.ts";
import { checkDate, checkInteger } from "../core/options.ts";
import { MAX_RETRIES, resolveRetryPolicy } from "../core/retry-policy.ts";
import { checkKnown } from "./check-ports.ts";

const KNOWN: ReadonlySet<string> = new Set<keyof RetryRequest>([
  "countdown",
  "eta",
  "maxRetries",
  "retryPolicy",
  "timeLimit",
  "softTimeLimit",
]);

/**
 * Thrown by `context.retry()` to leave the handler. Control flow, not a failure: a handler that catches it has
 * changed its mind.
 *
 * @internal
 */
export class RetrySignal extends Error {
  override readonly name = "RetryRequested";
  readonly #request: RetryRequest;

  constructor(request: RetryRequest) {
    super("The task asked to be run again.");
    this.#request = request;
  }

  /** The request, when that is what was thrown. Unlike `instanceof`, it runs no code of a proxy. */
  static requestOf(thrown: unknown): RetryRequest | undefined {
    return typeof thrown === "object" && thrown !== null && #request in thrown ? thrown.#request : undefined;
  }
}

/** Throws `InvalidOptionError` for the first field of a retry request that is unknown or out of bounds. */
export function checkRetryRequest(request: RetryRequest): RetryRequest {
  checkKnown("retry", request, KNOWN);
  if (request.countdown !== undefined) checkDuration("retry.countdown", request.countdown);
  if (request.eta !== undefined) checkDate("retry.eta", request.eta);
  if (request.maxRetries !== undefined) {
    checkInteger("retry.maxRetries", request.maxRetries, { min: 0, max: MAX_RETRIES });
  }
  if (request.retryPolicy !== undefined) resolveRetryPolicy(request.retryPolicy, "retry.retryPolicy");
  for (const name of ["timeLimit", "softTimeLimit"] as const) {
    if (request[name] !== undefined) checkDuration(`retry.${name}`, request[name], { min: 1 });
  }
  return request;
}
