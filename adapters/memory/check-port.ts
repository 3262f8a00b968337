import { InvalidOptionError } from "../../src/errors.ts";

/** Throws `InvalidOptionError` unless `value` has every one of `methods`. */
export function checkMethods(option: string, value: object, methods: readonly string[]): void {
  const found = value as Readonly<Record<string, unknown>> | null;
  if (methods.some((method) => typeof found?.[method] !== "function")) {
    throw new InvalidOptionError(option, value, `an object with ${methods.join(", ")}`);
  }
}

/** Throws `InvalidOptionError` unless `value` is a function. */
export function checkFunction(option: string, value: unknown): void {
  if (typeof value !== "function") throw new InvalidOptionError(option, value, "a function");
}
