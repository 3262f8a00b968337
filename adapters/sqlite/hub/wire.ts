import type { ErrorDescription } from "../../../src/error-transfer.ts";
import { InvalidOptionError, type StemError, VersionMismatchError } from "../../../src/errors.ts";
import type { Durability } from "../durability.ts";
import { MIGRATIONS } from "../migrations/index.ts";
import type { Call, MemberBatch, OwnerBatch } from "./protocol.ts";

/** Raised with every change of what is said between members and owners, or of what operations take and return. */
export const PROTOCOL_VERSION = 2;
/** Version of the schema that operations of this release work on. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

/** First message of a member on a new line. */
export interface Hello {
  readonly type: "hello";
  readonly protocol: number;
  readonly schema: number;
  /** Stays the same over changes of the owner. */
  readonly session: string;
  /** The platform's name for its context; empty where there is none. */
  readonly context: string;
  readonly durability: Durability;
}

/** From a member of another context to the owner. */
export type FromMember =
  | Hello
  | { readonly type: "calls"; readonly calls: MemberBatch; readonly answered: number }
  /** The member ends; the answer is `left`. */
  | { readonly type: "leave" };

/** From the owner to a member of another context. */
export type FromOwner =
  /** Answers the hello; `owner` is what error messages call the owner. */
  | { readonly type: "welcome"; readonly owner: string }
  | { readonly type: "refused"; readonly error: ErrorDescription }
  | { readonly type: "batch"; readonly batch: OwnerBatch }
  | { readonly type: "left" };

/** Reads a message of a member; `undefined` for anything that no member of this release says. */
export function readFromMember(message: unknown): FromMember | undefined {
  if (!isRecord(message)) return undefined;
  switch (message["type"]) {
    case "hello":
      return isHello(message) ? (message as unknown as Hello) : undefined;
    case "calls": {
      const { calls, answered } = message;
      const isCalls = Array.isArray(calls) && calls.every(isCall) && isCount(answered);
      return isCalls ? { type: "calls", calls, answered } : undefined;
    }
    case "leave":
      return { type: "leave" };
    default:
      return undefined;
  }
}

/** Reads a message of an owner; `undefined` for anything that no owner of this release says. */
export function readFromOwner(message: unknown): FromOwner | undefined {
  if (!isRecord(message)) return undefined;
  switch (message["type"]) {
    case "welcome":
      return typeof message["owner"] === "string" ? { type: "welcome", owner: message["owner"] } : undefined;
    case "refused":
      return isRecord(message["error"]) ? { type: "refused", error: message["error"] as never } : undefined;
    case "batch": {
      const { batch } = message;
      return isBatch(batch) ? { type: "batch", batch: batch as OwnerBatch } : undefined;
    }
    case "left":
      return { type: "left" };
    default:
      return undefined;
  }
}

/** Why the owner cannot serve this member; `undefined` when it can. */
export function objectionTo(hello: Hello, durability: Durability): StemError | undefined {
  if (hello.protocol !== PROTOCOL_VERSION) {
    return new VersionMismatchError("protocol version", hello.protocol, PROTOCOL_VERSION);
  }
  if (hello.schema !== SCHEMA_VERSION) {
    return new VersionMismatchError("schema version", hello.schema, SCHEMA_VERSION);
  }
  if (hello.durability !== durability) {
    return new InvalidOptionError("durability", hello.durability, `"${durability}", as the database is open already`);
  }
  return undefined;
}

function isHello(message: Readonly<Record<string, unknown>>): boolean {
  const { protocol, schema, session, context, durability } = message;
  const isPlaced = typeof context === "string" && context.length <= 200;
  const isNamed = isPlaced && typeof session === "string" && /^[0-9a-f]{16,64}$/.test(session);
  return isNamed && isCount(protocol) && isCount(schema) && (durability === "full" || durability === "relaxed");
}

function isCall(value: unknown): value is Call {
  return Array.isArray(value) && value.length === 3 && isCount(value[0]) && typeof value[1] === "string";
}

function isBatch(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { replies, pushes } = value;
  return Array.isArray(replies) && replies.every(isReply) && Array.isArray(pushes) && pushes.every(isPush);
}

function isReply(value: unknown): boolean {
  if (!Array.isArray(value) || !isCount(value[0])) return false;
  const error: unknown = value[2];
  return error === undefined || error === null || isRecord(error);
}

function isPush(value: unknown): boolean {
  return Array.isArray(value) && isCount(value[0]) && Array.isArray(value[1]) && value[1].every(isRecord);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
