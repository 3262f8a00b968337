import { InvalidOptionError, PayloadNotSerializableError, PayloadTooLargeError } from "../errors.ts";

/** A value that JSON holds without loss. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** How deep objects and arrays may be nested. */
export const MAX_JSON_DEPTH = 200;

/** Longest path in an error; the middle of a longer one is left out. */
const MAX_SHOWN_PATH = 1_000;

interface Walk {
  readonly root: string;
  readonly limit: number;
  readonly seen: object[];
  /** Bytes that the text takes at least, by what was walked so far. */
  size: number;
  hasNegativeZero: boolean;
}

/**
 * Serialises `value`, or throws `PayloadNotSerializableError` naming the path of the first part that JSON would drop
 * or change: undefined, functions, symbols, BigInt, NaN and infinities, dates, maps and other class instances, holes,
 * accessors, cycles and nesting beyond {@link MAX_JSON_DEPTH}. Parsing the text gives an equal value, `-0` included.
 */
export function stringifyJson(value: unknown, root: string): string {
  return stringify(value, root, Number.POSITIVE_INFINITY);
}

/**
 * Like {@link stringifyJson}, and throws `PayloadTooLargeError` when the text takes more than `limit` bytes. What is
 * far beyond the limit is refused without being serialised; `details.actual` is then the least it can take.
 */
export function stringifyJsonWithin(value: unknown, root: string, limit: number): string {
  const text = stringify(value, root, limit);
  checkTextSize(text, root, limit);
  return text;
}

function stringify(value: unknown, root: string, limit: number): string {
  const walk: Walk = { root, limit, seen: [], size: 0, hasNegativeZero: false };
  check(value, root, walk);
  try {
    return walk.hasNegativeZero ? writeExact(value as JsonValue) : JSON.stringify(value);
  } catch (error) {
    throw unstorable(root, "writing it throws", error);
  }
}

/** Like {@link stringifyJsonWithin}, for what has to be an object; anything else throws `InvalidOptionError`. */
export function stringifyObjectWithin(value: unknown, root: string, limit: number): string {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new InvalidOptionError(root, value, "an object with JSON values");
  }
  return stringifyJsonWithin(value, root, limit);
}

/** Throws `PayloadTooLargeError` when `text` takes more than `limit` bytes of UTF-8. */
export function checkTextSize(text: string, what: string, limit: number): void {
  // A UTF-16 unit takes one to three bytes: most texts need no counting.
  if (text.length * 3 <= limit) return;
  const bytes = utf8Length(text);
  if (bytes > limit) throw new PayloadTooLargeError(what, limit, bytes);
}

/** Number of bytes `text` takes in UTF-8; a lone surrogate counts as the three bytes of its replacement. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 4;
      index += 1;
    } else bytes += 3;
  }
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function unstorable(path: string, reason: string, cause?: unknown): PayloadNotSerializableError {
  const half = MAX_SHOWN_PATH / 2;
  const shown = path.length > MAX_SHOWN_PATH ? `${path.slice(0, half)}...${path.slice(-half)}` : path;
  return new PayloadNotSerializableError(shown, reason, cause);
}

function count(bytes: number, walk: Walk): void {
  walk.size += bytes;
  if (walk.size > walk.limit) throw new PayloadTooLargeError(walk.root, walk.limit, walk.size);
}

function check(value: unknown, path: string, walk: Walk): void {
  if (isLeaf(value, walk)) return;
  if (typeof value === "object" && value !== null) return checkObject(value, path, walk);
  throw unstorable(
    path,
    typeof value === "number" ? `${value} is not a JSON number` : `${typeof value} has no JSON form`,
  );
}

/** Whether `value` can be stored and holds no other; asked first, since most paths then need not be put together. */
function isLeaf(value: unknown, walk: Walk): boolean {
  switch (typeof value) {
    case "string":
      count(value.length + 2, walk);
      return true;
    case "number":
      if (value === 0 && Object.is(value, -0)) walk.hasNegativeZero = true;
      count(1, walk);
      return Number.isFinite(value);
    case "boolean":
      count(4, walk);
      return true;
    default:
      return value === null;
  }
}

function checkObject(value: object, path: string, walk: Walk): void {
  if (walk.seen.includes(value)) throw unstorable(path, "it refers back to itself");
  if (walk.seen.length >= MAX_JSON_DEPTH) throw unstorable(path, `nesting is deeper than ${MAX_JSON_DEPTH}`);
  walk.seen.push(value);
  count(2, walk);
  try {
    checkPlain(value, path);
    if (Array.isArray(value)) checkArray(value, path, walk);
    else checkProperties(value, path, walk);
  } catch (error) {
    if (error instanceof PayloadNotSerializableError || error instanceof PayloadTooLargeError) throw error;
    throw unstorable(path, "reading it throws", error);
  }
  walk.seen.pop();
}

/** Refuses instances of classes; an object of another realm (a vm context, a frame) is plain with a foreign prototype. */
function checkPlain(value: object, path: string): void {
  const isArray = Array.isArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== (isArray ? Array.prototype : Object.prototype)) {
    const name: unknown = (prototype as { constructor?: { name?: unknown } }).constructor?.name;
    const label = typeof name === "string" && name !== "" ? name : "a class";
    const base: unknown = Object.getPrototypeOf(prototype);
    const isPlain = isArray
      ? label === "Array" && base !== null && Object.getPrototypeOf(base) === null
      : label === "Object" && base === null;
    if (!isPlain) throw unstorable(path, `an instance of ${label} is not plain data`);
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") throw unstorable(path, "it has a toJSON method");
}

function checkArray(value: readonly unknown[], path: string, walk: Walk): void {
  const { length } = value;
  // Every index, and "length".
  if (Reflect.ownKeys(value).length !== length + 1) throw unstorable(path, "the array has holes or extra properties");
  for (let index = 0; index < length; index += 1) {
    const item = value[index];
    if (!isLeaf(item, walk)) check(item, `${path}[${index}]`, walk);
  }
}

function checkProperties(value: object, path: string, walk: Walk): void {
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (typeof key === "symbol" || descriptor === undefined || !descriptor.enumerable) {
      throw unstorable(path, "it has a symbol or hidden property");
    }
    count(key.length + 3, walk);
    if (!("value" in descriptor)) throw unstorable(`${path}.${key}`, "it is an accessor");
    // Read as `JSON.stringify` will, since a proxy may answer otherwise than its descriptor.
    const item = (value as Record<string, unknown>)[key];
    if (!isLeaf(item, walk)) check(item, `${path}.${key}`, walk);
  }
}

/** `JSON.stringify` writes `-0` as `0`; this writes it as `-0`, which `JSON.parse` reads back. */
function writeExact(value: JsonValue): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => writeExact(item)).join(",")}]`;
  const entries = Object.entries(value as JsonObject);
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${writeExact(item)}`).join(",")}}`;
}
