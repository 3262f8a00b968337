import { checkDuration, type Milliseconds } from "./duration.ts";
import { mergeOptions } from "./options.ts";
import { doubled } from "./retry-policy.ts";

/** Delay before the retry that follows zero-based `attempt`, for tasks without a retry policy. */
export interface RetryStrategy {
  nextDelay(attempt: number, random: () => number): Milliseconds;
}

/** Tuning of {@link exponentialJitterRetryStrategy}. */
export interface ExponentialJitterOptions {
  /** @defaultValue `2_000` */
  readonly base?: Milliseconds;
  /** @defaultValue `300_000` */
  readonly max?: Milliseconds;
}

const DEFAULTS: Required<ExponentialJitterOptions> = { base: 2_000, max: 300_000 };

/** Doubles `base` with each attempt up to `max`, then takes a random part of up to a quarter off. */
export function exponentialJitterRetryStrategy(options?: ExponentialJitterOptions): RetryStrategy {
  const { base, max } = mergeOptions(DEFAULTS, options);
  checkDuration("base", base);
  checkDuration("max", max);
  return {
    nextDelay(attempt, random) {
      const cap = Math.min(doubled(base, attempt), max);
      return cap - Math.floor(random() * (Math.floor(cap / 4) + 1));
    },
  };
}
