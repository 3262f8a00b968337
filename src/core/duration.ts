import { InvalidOptionError } from "../errors.ts";

/** A length of time in milliseconds. */
export type Milliseconds = number;

/** Longest accepted duration, about 285 years: the sum with any present instant stays a valid date. */
export const MAX_DURATION_MS = 9_000_000_000_000;

/** Returns `value` when it is a finite number of milliseconds within the bounds, else throws `InvalidOptionError`. */
export function checkDuration(
  option: string,
  value: unknown,
  bounds: Readonly<{ min?: number; max?: number }> = {},
): Milliseconds {
  const min = bounds.min ?? 0;
  const max = bounds.max ?? MAX_DURATION_MS;
  if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max) {
    throw new InvalidOptionError(option, value, `a number of milliseconds from ${min} to ${max}`);
  }
  return value;
}
