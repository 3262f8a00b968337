import type { Clock } from "../contracts/clock.ts";
import type { Randomness } from "../contracts/identity.ts";
import { type ResolvedRetryPolicy, retryDelay } from "../core/retry-policy.ts";
import { OutcomeUnknownError, StemError } from "../errors.ts";
import { PUBLISH_RETRIES } from "./publish-settings.ts";
import { sleep } from "./sleep.ts";

/** What {@link publishRetrying} works with. */
export interface PublishRetryParts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Ends a pause; then there are no more tries. */
  readonly closing: AbortSignal;
  /** Asked after a try of unknown outcome: whether the messages are known to have been stored by it. */
  readonly isPublished: () => Promise<boolean>;
}

/**
 * Calls `publish` until it succeeds, as often and as late as the policy says; it has to publish under the same ids each
 * time. Only a `StemError` that is retryable is followed by another try. Throws the last error; once a try had an
 * unknown outcome, an error without effect is told as `OutcomeUnknownError` with that error as its cause.
 */
export async function publishRetrying(
  publish: () => Promise<unknown>,
  policy: ResolvedRetryPolicy,
  { clock, randomness, closing, isPublished }: PublishRetryParts,
): Promise<void> {
  const retries = policy.maxRetries ?? PUBLISH_RETRIES;
  let isUnknown = false;
  for (let attempt = 0; ; attempt += 1) {
    const failure = await failureOf(publish);
    if (failure === undefined) return;
    const { error } = failure;
    isUnknown ||= !(error instanceof StemError) || error.outcome === "unknown";
    const mayPass = error instanceof StemError && error.retryable && attempt < retries;
    if (mayPass && !closing.aborted) {
      await sleep(
        clock,
        retryDelay(policy, attempt, () => randomness.number()),
        closing,
      );
      if (isUnknown && (await isPublished())) return;
      if (!closing.aborted) continue;
    }
    throw isUnknown && error instanceof StemError && error.outcome === "not-applied"
      ? new OutcomeUnknownError("publish", error)
      : error;
  }
}

async function failureOf(publish: () => Promise<unknown>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await publish();
    return undefined;
  } catch (error) {
    return { error };
  }
}
