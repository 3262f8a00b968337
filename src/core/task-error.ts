import { InvalidOptionError } from "../errors.ts";
import { type JsonObject, stringifyJsonWithin, stringifyObjectWithin, utf8Length } from "./json.ts";
import { checkBoolean, checkText } from "./options.ts";

/** Longest stored error message, in bytes of UTF-8. */
export const MAX_ERROR_MESSAGE_BYTES = 8_192;
/** Longest stored stack, causes included, in bytes of UTF-8. */
export const MAX_ERROR_STACK_BYTES = 32_768;
/** Longest stored error type, in bytes of UTF-8. */
export const MAX_ERROR_TYPE_BYTES = 256;

const MAX_CAUSES = 5;
const ELLIPSIS = "...";
/** Classes whose `name` says nothing about a subclass that has not set its own. */
const STANDARD_NAMES: ReadonlySet<string> = new Set([
  "Error",
  "AggregateError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
]);

/** What a thrown value is recorded as. */
export interface ThrownFacts {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  /** The error's own `code`, when it has one. */
  readonly meta: JsonObject;
}

/** A failure as backends store it. */
export interface StorableError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly retryable: boolean;
  readonly meta: JsonObject;
}

/** Serialises an error for a status after checking every field; the whole may take `maxBytes`. */
export function encodeTaskError(error: StorableError, maxBytes: number): string {
  if (error === null || typeof error !== "object") throw new InvalidOptionError("error", error, "a task error");
  stringifyObjectWithin(error.meta, "error.meta", maxBytes);
  const plain = {
    type: checkText("error.type", error.type),
    message: checkText("error.message", error.message),
    ...(error.stack === undefined ? {} : { stack: checkText("error.stack", error.stack) }),
    retryable: checkBoolean("error.retryable", error.retryable),
    meta: error.meta,
  };
  return stringifyJsonWithin(plain, "error", maxBytes);
}

/**
 * Describes whatever was thrown, an error or not, within the length limits. Never throws, however hostile the value:
 * what cannot be read is left out.
 */
export function describeThrown(thrown: unknown): ThrownFacts {
  const type = cut(typeOf(thrown), MAX_ERROR_TYPE_BYTES);
  const stack = stackOf(thrown);
  const code = read(thrown, "code");
  return {
    type,
    message: cut(messageOf(thrown, type), MAX_ERROR_MESSAGE_BYTES),
    ...(stack === "" ? {} : { stack: cut(stack, MAX_ERROR_STACK_BYTES) }),
    meta: typeof code === "string" ? { code: cut(code, MAX_ERROR_TYPE_BYTES) } : {},
  };
}

/** Cuts `text` to `limit` bytes of UTF-8, between characters, with dots at the end when something was cut. */
function cut(text: string, limit: number): string {
  if (text.length * 3 <= limit) return text;
  // Counting stops where no character more can fit: the text may be very long.
  const head = text.slice(0, limit + 1);
  if (head.length === text.length && utf8Length(text) <= limit) return text;
  let low = 0;
  let high = head.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (utf8Length(head.slice(0, middle)) <= limit - ELLIPSIS.length) low = middle;
    else high = middle - 1;
  }
  const last = head.charCodeAt(low - 1);
  return head.slice(0, last >= 0xd800 && last < 0xdc00 ? low - 1 : low) + ELLIPSIS;
}

/** Reads a property of anything; a getter or proxy that throws counts as absent. */
function read(from: unknown, key: string): unknown {
  if (from === null || (typeof from !== "object" && typeof from !== "function")) return undefined;
  try {
    return (from as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === "object";
}

function typeOf(thrown: unknown): string {
  if (thrown === null) return "null";
  if (!isObject(thrown)) return typeof thrown;
  const name = read(thrown, "name");
  const className = read(read(thrown, "constructor"), "name");
  const hasName = typeof name === "string" && name !== "" && isErrorLike(thrown);
  if (hasName && (hasOwn(thrown, "name") || !STANDARD_NAMES.has(name))) return name;
  if (typeof className === "string" && className !== "") return className;
  return hasName ? name : "Object";
}

/** Errors of other realms fail `instanceof Error`; a message and a stack make one as well. */
function isErrorLike(value: object): boolean {
  return typeof read(value, "message") === "string" && typeof read(value, "stack") === "string";
}

function hasOwn(value: object, key: string): boolean {
  try {
    return Object.hasOwn(value, key);
  } catch {
    return false;
  }
}

function messageOf(thrown: unknown, type: string): string {
  if (typeof thrown === "string") return thrown;
  if (typeof thrown === "symbol") return thrown.toString();
  if (!isObject(thrown) && typeof thrown !== "function") return String(thrown);
  const message = read(thrown, "message");
  return typeof message === "string" ? message : `A value of type ${type} was thrown.`;
}

function stackOf(thrown: unknown): string {
  const parts: string[] = [];
  const seen = new Set<unknown>();
  let current = thrown;
  while (isObject(current) && !seen.has(current) && parts.length <= MAX_CAUSES) {
    seen.add(current);
    const stack = read(current, "stack");
    if (typeof stack !== "string") break;
    // A slice keeps the join of several huge stacks from building a text that is only cut afterwards.
    parts.push(stack.slice(0, MAX_ERROR_STACK_BYTES));
    current = read(current, "cause");
  }
  return parts.join("\nCaused by: ");
}
