import { InvalidOptionError, MalformedEnvelopeError, PayloadNotSerializableError } from "../errors.ts";
import { checkDuration, type Milliseconds } from "./duration.ts";
import { type JsonObject, stringifyJson, stringifyJsonWithin } from "./json.ts";
import { checkName } from "./names.ts";
import { checkDate, checkInteger } from "./options.ts";
import { MAX_RETRIES } from "./retry-policy.ts";

/** Names the broker may be asked to order by: 32-bit, higher first. */
export const PRIORITY_BOUNDS = { min: -2_147_483_648, max: 2_147_483_647 } as const;
/** Limit for `headers`, in bytes of JSON. */
export const MAX_HEADER_BYTES = 65_536;
/** Default limit for `args` and for `meta`, in bytes of JSON. */
export const DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576;
/** Largest value that a payload limit may be set to. */
export const HARD_MAX_PAYLOAD_BYTES = 67_108_864;

const ISO_INSTANT = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d/;

/** One message of a queue. Immutable; a retry is a new envelope with the same `id`. */
export interface Envelope {
  readonly id: string;
  /** Name of the task that handles it. */
  readonly name: string;
  readonly args: JsonObject;
  /** Travels with the message; string values only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly enqueuedAt: Date;
  /** Earliest delivery. */
  readonly notBefore?: Date;
  /** Higher first; equal priorities in order of publishing. */
  readonly priority: number;
  /** Number of retries so far. */
  readonly attempt: number;
  /** A retry is allowed while `attempt < maxRetries`. */
  readonly maxRetries: number;
  /** Lease of each delivery of this message; the broker's default when absent. */
  readonly visibilityTimeout?: Milliseconds;
  readonly queue: string;
  readonly meta: JsonObject;
}

/** What {@link createEnvelope} takes; only `name` is required. */
export interface EnvelopeInit {
  /** @defaultValue a new UUID version 7 */
  readonly id?: string;
  readonly name: string;
  /** @defaultValue `{}` */
  readonly args?: JsonObject;
  /** @defaultValue `{}` */
  readonly headers?: Readonly<Record<string, string>>;
  /** @defaultValue the present time */
  readonly enqueuedAt?: Date;
  readonly notBefore?: Date;
  /** @defaultValue `0` */
  readonly priority?: number;
  /** @defaultValue `0` */
  readonly attempt?: number;
  /** @defaultValue `0` */
  readonly maxRetries?: number;
  readonly visibilityTimeout?: Milliseconds;
  /** @defaultValue `"default"` */
  readonly queue?: string;
  /** @defaultValue `{}` */
  readonly meta?: JsonObject;
}

/** Builds a checked, frozen envelope; `id` and `now` come from the caller's own sources. */
export function buildEnvelope(init: EnvelopeInit, id: string, now: number): Envelope {
  if (init === null || typeof init !== "object") throw new InvalidOptionError("envelope", init, "an object");
  const envelope: Envelope = {
    id: init.id ?? id,
    name: init.name,
    args: init.args ?? {},
    headers: init.headers ?? {},
    enqueuedAt: init.enqueuedAt == null ? new Date(now) : checkDate("enqueuedAt", init.enqueuedAt),
    ...(init.notBefore === undefined ? {} : { notBefore: checkDate("notBefore", init.notBefore) }),
    priority: init.priority ?? 0,
    attempt: init.attempt ?? 0,
    maxRetries: init.maxRetries ?? 0,
    ...(init.visibilityTimeout === undefined ? {} : { visibilityTimeout: init.visibilityTimeout }),
    queue: init.queue ?? "default",
    meta: init.meta ?? {},
  };
  return Object.freeze(checkEnvelope(envelope));
}

/** Returns `envelope` when every field is as it has to be, else throws the typed error of the first that is not. */
export function checkEnvelope(envelope: Envelope): Envelope {
  if (envelope === null || typeof envelope !== "object") {
    throw new InvalidOptionError("envelope", envelope, "an envelope");
  }
  checkName("task id", envelope.id);
  checkName("task", envelope.name);
  checkRecord("args", envelope.args);
  checkHeaders(envelope.headers);
  checkDate("enqueuedAt", envelope.enqueuedAt);
  if (envelope.notBefore !== undefined) checkDate("notBefore", envelope.notBefore);
  checkInteger("priority", envelope.priority, PRIORITY_BOUNDS);
  checkInteger("attempt", envelope.attempt, { min: 0, max: Number.MAX_SAFE_INTEGER });
  checkInteger("maxRetries", envelope.maxRetries, { min: 0, max: MAX_RETRIES });
  if (envelope.visibilityTimeout !== undefined) {
    checkDuration("visibilityTimeout", envelope.visibilityTimeout, { min: 1 });
  }
  checkName("queue", envelope.queue);
  checkRecord("meta", envelope.meta);
  return envelope;
}

/** Changes for {@link copyEnvelope}; `null` removes `notBefore` or `visibilityTimeout`. */
export type EnvelopeChanges = Readonly<
  Partial<Omit<Envelope, "notBefore" | "visibilityTimeout">> & {
    notBefore?: Date | null;
    visibilityTimeout?: Milliseconds | null;
  }
>;

/** A copy with some fields changed, checked like a new envelope. */
export function copyEnvelope(envelope: Envelope, changes: EnvelopeChanges): Envelope {
  const { notBefore, visibilityTimeout, ...rest } = { ...envelope, ...changes };
  return buildEnvelope(
    {
      ...rest,
      ...(notBefore === null || notBefore === undefined ? {} : { notBefore }),
      ...(visibilityTimeout === null || visibilityTimeout === undefined ? {} : { visibilityTimeout }),
    },
    envelope.id,
    envelope.enqueuedAt.getTime(),
  );
}

/**
 * Serialises an envelope, keys in Stem's names. Throws `PayloadNotSerializableError` or `PayloadTooLargeError` with
 * the path of what cannot be stored.
 */
export function encodeEnvelope(envelope: Envelope, maxPayloadBytes: number = DEFAULT_MAX_PAYLOAD_BYTES): string {
  const args = stringifyJsonWithin(envelope.args, "args", maxPayloadBytes);
  const meta = stringifyJsonWithin(envelope.meta, "meta", maxPayloadBytes);
  const headers = stringifyJsonWithin(envelope.headers, "headers", MAX_HEADER_BYTES);
  const notBefore = envelope.notBefore === undefined ? "null" : `"${isoText(envelope.notBefore)}"`;
  return (
    `{"id":${JSON.stringify(envelope.id)},"name":${JSON.stringify(envelope.name)},"args":${args},` +
    `"headers":${headers},"enqueuedAt":"${isoText(envelope.enqueuedAt)}","notBefore":${notBefore},` +
    `"priority":${envelope.priority},"attempt":${envelope.attempt},"maxRetries":${envelope.maxRetries},` +
    `"visibilityTimeout":${envelope.visibilityTimeout ?? "null"},"queue":${JSON.stringify(envelope.queue)},` +
    `"meta":${meta}}`
  );
}

let lastIsoMs = Number.NaN;
let lastIsoText = "";

/** Messages are published many to the millisecond, and formatting a date is a quarter of encoding one. */
function isoText(date: Date): string {
  const ms = date.getTime();
  if (ms !== lastIsoMs) {
    lastIsoMs = ms;
    lastIsoText = date.toISOString();
  }
  return lastIsoText;
}

/** Reads what {@link encodeEnvelope} wrote; throws `MalformedEnvelopeError` for anything else. */
export function decodeEnvelope(text: string): Envelope {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new MalformedEnvelopeError("(all)", "is not JSON", error);
  }
  return envelopeFromJson(json);
}

/** JSON form of an envelope, for embedding in other JSON. */
export function envelopeToJson(envelope: Envelope): JsonObject {
  return JSON.parse(encodeEnvelope(envelope, HARD_MAX_PAYLOAD_BYTES)) as JsonObject;
}

/** Builds an envelope from its JSON form; `id`, `name`, `args` and `enqueuedAt` are required, the rest has defaults. */
export function envelopeFromJson(json: unknown): Envelope {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new MalformedEnvelopeError("(all)", "is not an object");
  }
  const fields = json as Record<string, unknown>;
  for (const required of ["id", "name", "args", "enqueuedAt"]) {
    if (!Object.hasOwn(fields, required)) throw new MalformedEnvelopeError(required, "is missing");
  }
  try {
    return buildEnvelope(initFromJson(fields), "", 0);
  } catch (error) {
    throw new MalformedEnvelopeError("(all)", `is not valid (${error instanceof Error ? error.message : "?"})`, error);
  }
}

/** Null means absent; every value is checked by `buildEnvelope`. Runs for each delivery, so it copies nothing. */
function initFromJson(fields: Readonly<Record<string, unknown>>): EnvelopeInit {
  return {
    id: fields["id"],
    name: fields["name"],
    args: fields["args"],
    headers: fields["headers"],
    enqueuedAt: instantFromJson(fields["enqueuedAt"]),
    notBefore: fields["notBefore"] == null ? undefined : instantFromJson(fields["notBefore"]),
    priority: fields["priority"],
    attempt: fields["attempt"],
    maxRetries: fields["maxRetries"],
    visibilityTimeout: fields["visibilityTimeout"] ?? undefined,
    queue: fields["queue"],
    meta: fields["meta"],
  } as EnvelopeInit;
}

/** An invalid date, which `buildEnvelope` refuses, for what is no ISO 8601 instant: `new Date` takes almost anything. */
function instantFromJson(value: unknown): Date {
  return new Date(typeof value === "string" && ISO_INSTANT.test(value) ? value : Number.NaN);
}

/**
 * Whether two envelopes carry the same message: the same id, task, queue, arguments and headers. When it was enqueued,
 * and delivery facts such as `attempt`, are left aside, so that enqueuing again after a crash is recognised.
 */
export function isSameMessage(one: Envelope, other: Envelope): boolean {
  return (
    one.id === other.id &&
    one.name === other.name &&
    one.queue === other.queue &&
    stringifyJson(one.args, "args") === stringifyJson(other.args, "args") &&
    stringifyJson(one.headers, "headers") === stringifyJson(other.headers, "headers")
  );
}

function checkRecord(path: string, value: unknown): object {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new PayloadNotSerializableError(path, "it must be an object with JSON values");
  }
  return value;
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of entriesOf(checkRecord("headers", headers))) {
    if (typeof value !== "string")
      throw new PayloadNotSerializableError(`headers.${name}`, "headers hold strings only");
  }
}

function entriesOf(headers: object): [string, unknown][] {
  try {
    return Object.entries(headers);
  } catch (error) {
    throw new PayloadNotSerializableError("headers", "reading it throws", error);
  }
}
