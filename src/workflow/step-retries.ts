import { resolveRetryPolicy, type ResolvedRetryPolicy } from "../core/retry-policy.ts";

/** How often a step is tried again when no policy says otherwise. */
export const DEFAULT_STEP_RETRIES = 5;

/** For steps without a policy of their own, in runtimes that set none: 1 s, doubled up to a minute, with jitter. */
export const DEFAULT_STEP_POLICY: ResolvedRetryPolicy = resolveRetryPolicy({
  backoff: true,
  defaultDelay: 1_000,
  backoffMax: 60_000,
  maxRetries: DEFAULT_STEP_RETRIES,
});
