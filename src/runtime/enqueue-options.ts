import type { LinkedCall, TaskEnqueueOptions } from "../contracts/task-enqueuer.ts";
import { checkDuration } from "../core/duration.ts";
import { PRIORITY_BOUNDS } from "../core/envelope.ts";
import { type JsonObject, type JsonValue, stringifyJson } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkBoolean, checkDate, checkInteger, checkOneOf, checkShortText } from "../core/options.ts";
import { META_KEYS } from "../core/reserved-keys.ts";
import { retryPolicyToJson, resolveRetryPolicy } from "../core/retry-policy.ts";
import { resolveTaskOptions, type TaskOptions } from "../core/task-options.ts";
import { InvalidOptionError, PayloadNotSerializableError } from "../errors.ts";
import { checkKnown } from "./check-ports.ts";
import { encodeLinkedCalls } from "./linked-call.ts";

const KNOWN: ReadonlySet<string> = new Set<keyof TaskEnqueueOptions>([
  "taskId",
  "countdown",
  "eta",
  "expires",
  "queue",
  "priority",
  "timeLimit",
  "softTimeLimit",
  "ignoreResult",
  "addToParent",
  "retryPolicy",
  "retry",
  "onConflict",
  "link",
  "linkError",
  "exchange",
  "routingKey",
  "serializer",
  "compression",
  "shadow",
  "replyTo",
  "publishConnection",
  "producer",
]);
/** What may be said of a task that is to be enqueued, linked or not. */
export const REQUEST_FIELDS: ReadonlySet<string> = new Set<keyof LinkedCall>([
  "name",
  "args",
  "headers",
  "meta",
  "options",
  "notBefore",
  "enqueueOptions",
]);
/** Options that are texts the worker is given in the meta, as they are. */
const TEXTS = ["exchange", "routingKey", "serializer", "compression", "shadow", "replyTo"] as const;
const MAX_TEXT = 200;
/** Options that are JSON the worker is given in the meta, as it is. */
const VALUES = ["publishConnection", "producer"] as const;
/** How deep links may be nested in links. */
export const MAX_LINK_DEPTH = 5;
/** Most linked calls of one task, nested ones included. */
export const MAX_LINKED_CALLS = 1_000;

/** What is known of a task's linked calls while they are checked. */
interface LinkWalk {
  depth: number;
  count: number;
  readonly ids: Set<string>;
}

/**
 * Throws a typed error, with the path, for the first per-enqueue option that is unknown or out of bounds, those of
 * linked calls included.
 */
export function checkEnqueueOptions(options: TaskEnqueueOptions): void {
  checkOptions("enqueueOptions", options, { depth: 0, count: 0, ids: new Set() });
}

function checkOptions(path: string, options: TaskEnqueueOptions, walk: LinkWalk): void {
  checkKnown(path, options, KNOWN);
  const at = walk.depth === 0 ? "" : `${path} `;
  if (options.taskId !== undefined) checkNewId(path, checkName(`${at}task id`, options.taskId), walk);
  if (options.queue !== undefined) checkName(`${at}queue`, options.queue);
  if (options.countdown !== undefined) checkDuration(`${path}.countdown`, options.countdown);
  if (options.eta !== undefined) checkDate(`${path}.eta`, options.eta);
  if (options.priority !== undefined) checkInteger(`${path}.priority`, options.priority, PRIORITY_BOUNDS);
  if (options.retryPolicy !== undefined) resolveRetryPolicy(options.retryPolicy, `${path}.retryPolicy`);
  if (typeof options.expires === "number") checkDuration(`${path}.expires`, options.expires);
  else if (options.expires !== undefined) checkDate(`${path}.expires`, options.expires);
  for (const name of ["timeLimit", "softTimeLimit"] as const) {
    if (options[name] !== undefined) checkDuration(`${path}.${name}`, options[name], { min: 1 });
  }
  for (const name of ["ignoreResult", "addToParent", "retry"] as const) {
    if (options[name] !== undefined) checkBoolean(`${path}.${name}`, options[name]);
  }
  if (options.onConflict !== undefined) checkOnConflict(`${path}.onConflict`, options.onConflict, walk);
  for (const name of TEXTS) {
    if (options[name] !== undefined) checkShortText(`${path}.${name}`, options[name], MAX_TEXT);
  }
  for (const name of VALUES) {
    if (options[name] !== undefined) stringifyJson(options[name], `${path}.${name}`);
  }
  for (const name of ["link", "linkError"] as const) {
    if (options[name] !== undefined) checkLinkedCalls(`${path}.${name}`, options[name], walk);
  }
}

/** The task and those that follow it cannot be one task. */
function checkNewId(path: string, id: string, { ids }: LinkWalk): void {
  if (ids.has(id)) throw new InvalidOptionError(`${path}.taskId`, id, "an id that no other task of this enqueue has");
  ids.add(id);
}

function checkOnConflict(path: string, value: unknown, { depth }: LinkWalk): void {
  if (depth > 0) throw new InvalidOptionError(path, value, "left out in a linked call");
  checkOneOf(path, value, ["reject", "replace-pending"]);
}

function checkLinkedCalls(path: string, calls: unknown, walk: LinkWalk): void {
  if (!Array.isArray(calls)) throw new InvalidOptionError(path, calls, "an array of calls");
  if (calls.length > 0 && walk.depth >= MAX_LINK_DEPTH) {
    throw new InvalidOptionError(path, calls, `left out: links are nested at most ${MAX_LINK_DEPTH} deep`);
  }
  walk.count += calls.length;
  if (walk.count > MAX_LINKED_CALLS) {
    throw new InvalidOptionError(path, calls, `left out: a task has at most ${MAX_LINKED_CALLS} linked calls`);
  }
  walk.depth += 1;
  for (const [index, call] of Array.from<unknown>(calls).entries())
    checkCall(`${path}[${index}]`, call as LinkedCall, walk);
  walk.depth -= 1;
}

function checkCall(path: string, call: LinkedCall, walk: LinkWalk): void {
  checkKnown(path, call, REQUEST_FIELDS);
  const { name, args, headers, meta, options, notBefore, enqueueOptions } = call;
  checkName(`${path} task`, name);
  for (const [part, value] of Object.entries({ args, headers, meta })) {
    if (value === undefined) continue;
    checkPlain(`${path}.${part}`, value);
    stringifyJson(value, `${path}.${part}`);
  }
  for (const [header, value] of Object.entries(headers ?? {})) {
    if (typeof value === "string") continue;
    throw new PayloadNotSerializableError(`${path}.headers.${header}`, "headers hold strings only");
  }
  if (options !== undefined) resolveTaskOptions({}, options, `${path}.options`);
  if (notBefore !== undefined) checkDate(`${path}.notBefore`, notBefore);
  if (enqueueOptions !== undefined) checkOptions(`${path}.enqueueOptions`, enqueueOptions, walk);
}

/** Throws `PayloadNotSerializableError` unless `value` is a plain object; its entries are the caller's to check. */
export function checkPlain(path: string, value: unknown): void {
  const isPlain = value !== null && typeof value === "object" && !Array.isArray(value);
  const prototype: unknown = isPlain ? Object.getPrototypeOf(value) : undefined;
  // Spreading would turn a Map, a Date or any other instance into an empty, seemingly valid object.
  if (!isPlain || (prototype !== null && Object.getPrototypeOf(prototype) !== null)) {
    throw new PayloadNotSerializableError(path, "it must be a plain object with JSON values");
  }
}

/** The earliest start: `eta`, else `countdown` from now, else `notBefore`. */
export function earliestStart(options: TaskEnqueueOptions, notBefore: Date | undefined, now: number): Date | undefined {
  if (options.eta !== undefined) return options.eta;
  if (options.countdown !== undefined) return new Date(now + options.countdown);
  return notBefore;
}

/**
 * The meta entries that per-enqueue options, and limits among a call's task options, are stored under. `nextId` gives
 * the ids of linked calls.
 */
export function metaOfOptions(
  options: TaskEnqueueOptions,
  call: TaskOptions,
  nextId: () => string,
  now: number,
): JsonObject {
  const meta: Record<string, JsonValue> = {};
  const timeLimit = options.timeLimit ?? call.hardTimeLimit;
  const softTimeLimit = options.softTimeLimit ?? call.softTimeLimit;
  const policy = options.retryPolicy ?? call.retryPolicy;
  if (timeLimit !== undefined) meta[META_KEYS.timeLimitMs] = timeLimit;
  if (softTimeLimit !== undefined) meta[META_KEYS.softTimeLimitMs] = softTimeLimit;
  if (policy !== undefined) meta[META_KEYS.retryPolicy] = retryPolicyToJson(resolveRetryPolicy(policy));
  if (options.ignoreResult === true) meta[META_KEYS.ignoreResult] = true;
  if (options.expires !== undefined) {
    const expiresAt = typeof options.expires === "number" ? new Date(now + options.expires) : options.expires;
    meta[META_KEYS.expiresAt] = expiresAt.toISOString();
  }
  for (const name of [...TEXTS, ...VALUES] as const) {
    const value = options[name];
    if (value !== undefined) meta[META_KEYS[name]] = value;
  }
  for (const name of ["link", "linkError"] as const) {
    const calls = options[name];
    if (calls !== undefined && calls.length > 0) meta[META_KEYS[name]] = encodeLinkedCalls(calls, nextId);
  }
  return meta;
}
