import type { EnqueueRequest, LinkedCall, TaskEnqueueOptions } from "../contracts/task-enqueuer.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import {
  resolveRetryPolicy,
  retryPolicyFromJson,
  retryPolicyToJson,
  type TaskRetryPolicy,
} from "../core/retry-policy.ts";
import type { TaskOptions } from "../core/task-options.ts";
import { InvalidOptionError } from "../errors.ts";

/** Fields that are durations; their JSON names end in `Ms`. */
const DURATIONS: ReadonlySet<string> = new Set<keyof TaskOptions | keyof TaskEnqueueOptions>([
  "softTimeLimit",
  "hardTimeLimit",
  "visibilityTimeout",
  "countdown",
  "timeLimit",
  "expires",
]);
const DATES: ReadonlySet<string> = new Set<keyof TaskEnqueueOptions>(["eta", "expires"]);
const LINKS: ReadonlySet<string> = new Set<keyof TaskEnqueueOptions>(["link", "linkError"]);

/**
 * The JSON form of calls that were checked, in Stem's names. Each has an id, from `nextId` unless it has its own: who
 * publishes them, and how often, they are the same tasks.
 */
export function encodeLinkedCalls(calls: readonly LinkedCall[], nextId: () => string): readonly JsonObject[] {
  return calls.map(({ name, args = {}, headers = {}, meta = {}, options = {}, notBefore, enqueueOptions = {} }) => ({
    name,
    args,
    headers,
    meta,
    options: encodeFields(options, nextId),
    notBefore: notBefore === undefined ? null : notBefore.toISOString(),
    enqueueOptions: encodeFields({ ...enqueueOptions, taskId: enqueueOptions.taskId ?? nextId() }, nextId),
  }));
}

function encodeFields(options: TaskOptions | TaskEnqueueOptions, nextId: () => string): JsonObject {
  const json: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined) continue;
    if (value instanceof Date) json[name] = value.toISOString();
    else if (DURATIONS.has(name)) json[`${name}Ms`] = value as number;
    else if (LINKS.has(name)) json[name] = encodeLinkedCalls(value as readonly LinkedCall[], nextId);
    else if (name === "retryPolicy") json[name] = retryPolicyToJson(resolveRetryPolicy(value as TaskRetryPolicy));
    else json[name] = value as JsonValue;
  }
  return json;
}

/**
 * Reads what {@link encodeLinkedCalls} wrote. Throws `InvalidOptionError` for what is no call or has no id; the fields
 * of the call are for the enqueue to check.
 */
export function decodeLinkedCall(json: unknown, path: string): EnqueueRequest {
  const { notBefore, options, enqueueOptions, ...rest } = checkRecord(json, path);
  const decoded = decodeFields(enqueueOptions ?? {}, `${path}.enqueueOptions`);
  if (decoded["taskId"] === undefined)
    throw new InvalidOptionError(`${path}.enqueueOptions.taskId`, undefined, "given");
  for (const part of ["headers", "meta"]) checkRecord(rest[part] ?? {}, `${path}.${part}`);
  return {
    ...(rest as unknown as EnqueueRequest),
    ...(notBefore == null ? {} : { notBefore: toDate(notBefore) }),
    options: decodeFields(options ?? {}, `${path}.options`),
    enqueueOptions: decoded,
  };
}

function decodeFields(json: unknown, path: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(checkRecord(json, path))) {
    const name = key.replace(/Ms$/, "");
    if (name !== key && DURATIONS.has(name)) fields[name] = value;
    else if (DATES.has(key)) fields[key] = toDate(value);
    else if (LINKS.has(key)) fields[key] = decodeAll(value, `${path}.${key}`);
    else if (key === "retryPolicy") fields[key] = retryPolicyFromJson(value as JsonObject);
    else fields[key] = value;
  }
  return fields;
}

function decodeAll(json: unknown, path: string): readonly EnqueueRequest[] {
  if (!Array.isArray(json)) throw new InvalidOptionError(path, json, "an array of encoded calls");
  return json.map((item: unknown, index) => decodeLinkedCall(item, `${path}[${index}]`));
}

/** An invalid date, which the enqueue refuses, for what is no text. */
function toDate(value: unknown): Date {
  return new Date(typeof value === "string" ? value : Number.NaN);
}

function checkRecord(json: unknown, path: string): Record<string, unknown> {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new InvalidOptionError(path, json, "an object");
  }
  return json as Record<string, unknown>;
}
