import type { EnqueueOptions } from "../contracts/task-enqueuer.ts";
import { stringifyJson } from "../core/json.ts";
import { InvalidOptionError } from "../errors.ts";

/** Deeper than linked calls may be nested; the enqueuer refuses what goes that far. */
const MAX_DEPTH = 10;

/**
 * Checks what a copy to another thread would change: it makes plain objects of instances, so that the values that are
 * stored as JSON are checked before, with the same typed errors. All else about the options is the enqueuer's to say.
 */
export function checkCopied(options: EnqueueOptions): void {
  checkJsonFields(options, "", 0);
  try {
    structuredClone(options);
  } catch {
    throw new InvalidOptionError("options", options, "made of values that can be copied to another thread");
  }
}

function checkJsonFields(options: unknown, prefix: string, depth: number): void {
  if (!isObject(options) || depth > MAX_DEPTH) return;
  checkFields(options, ["args", "meta", "headers"], prefix);
  const { enqueueOptions } = options;
  if (!isObject(enqueueOptions)) return;
  const path = `${prefix}enqueueOptions.`;
  checkFields(enqueueOptions, ["publishConnection", "producer"], path);
  for (const name of ["link", "linkError"]) {
    const calls = enqueueOptions[name];
    if (!Array.isArray(calls)) continue;
    for (const [index, call] of calls.entries()) checkJsonFields(call, `${path}${name}[${index}].`, depth + 1);
  }
}

function checkFields(of: Readonly<Record<string, unknown>>, names: readonly string[], prefix: string): void {
  for (const name of names) {
    const value = of[name];
    if (isObject(value)) stringifyJson(value, `${prefix}${name}`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object";
}
