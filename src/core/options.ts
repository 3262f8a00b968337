import { InvalidOptionError } from "../errors.ts";

/**
 * Lays `given` over `defaults`: `undefined` means the default, an unknown name is an `InvalidOptionError`.
 * The values themselves are the caller's to check. `path` is put before names in errors.
 */
export function mergeOptions<T extends object>(
  defaults: T,
  given: Readonly<Partial<T>> | undefined,
  path: string = "",
): T {
  if (given === undefined) return { ...defaults };
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    throw new InvalidOptionError(path === "" ? "options" : path, given, "an object");
  }
  const merged = { ...defaults } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) {
      const option = path === "" ? name : `${path}.${name}`;
      throw new InvalidOptionError(option, value, `one of the known options (${Object.keys(defaults).join(", ")})`);
    }
    if (value !== undefined) merged[name] = value;
  }
  return merged as T;
}

/** Returns `value` when it is a whole number within the bounds, else throws `InvalidOptionError`. */
export function checkInteger(option: string, value: unknown, bounds: Readonly<{ min: number; max: number }>): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < bounds.min || value > bounds.max) {
    throw new InvalidOptionError(option, value, `a whole number from ${bounds.min} to ${bounds.max}`);
  }
  return value;
}

/** Returns `value` when it is a boolean, else throws `InvalidOptionError`. */
export function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new InvalidOptionError(option, value, "true or false");
  return value;
}

/** Returns `value` when it is one of `allowed`, else throws `InvalidOptionError`. */
export function checkOneOf<T extends string>(option: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) {
    throw new InvalidOptionError(option, value, `one of ${allowed.map((name) => `"${name}"`).join(", ")}`);
  }
  return value as T;
}

/** Returns a copy of `value` when it is a valid date, else throws `InvalidOptionError`. */
export function checkDate(option: string, value: unknown): Date {
  const time = value instanceof Date ? timeOf(value) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidOptionError(option, value, "a valid Date");
  return new Date(time);
}

/** NaN for what only looks like a date. */
function timeOf(value: Date): number {
  try {
    return Date.prototype.getTime.call(value);
  } catch {
    return Number.NaN;
  }
}

/** Returns `value` when it is a string, else throws `InvalidOptionError`. */
export function checkText(option: string, value: unknown): string {
  if (typeof value !== "string") throw new InvalidOptionError(option, value, "a string");
  return value;
}

/** Returns `value` when it is a string of 1 to `max` UTF-16 units, else throws `InvalidOptionError`. */
export function checkShortText(option: string, value: unknown, max: number): string {
  if (typeof value !== "string" || value.length === 0 || value.length > max) {
    throw new InvalidOptionError(option, value, `a string of 1 to ${max} characters`);
  }
  return value;
}

/** Throws `InvalidOptionError` unless `value` is an object and no array. */
export function checkObject(option: string, value: unknown): void {
  checkThat(option, value, value !== null && typeof value === "object" && !Array.isArray(value), "an object");
}

/** Throws `InvalidOptionError` unless `isAllowed`. */
export function checkThat(option: string, value: unknown, isAllowed: boolean, allowed: string): void {
  if (!isAllowed) throw new InvalidOptionError(option, value, allowed);
}
