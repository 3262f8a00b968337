import { PayloadNotSerializableError, PayloadTooLargeError } from "../errors.ts";

/** A value that JSON holds without loss. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** How deep objects and arrays may be nested. */
export const MAX_JSON_DEPTH = 200;

interface Walk {
  readonly seen: object[];
  hasNegativeZero: boolean;
}

/**
 * Serialises `value`, or throws `PayloadNotSerializableError` naming the path of the first part that JSON would drop
 * or change: undefined, functions, symbols, BigInt, NaN and infinities, dates, maps and other class instances, holes,
 * accessors, cycles and nesting beyond {@link MAX_JSON_DEPTH}. Parsing the text gives an equal value, `-0` included.
 */
export function stringifyJson(value: unknown, root: string): string {
  const walk: Walk = { seen: [], hasNegativeZero: false };
  check(value, root, walk);
  return walk.hasNegativeZero ? writeExact(value as JsonValue) : JSON.stringify(value);
}

/** Like {@link stringifyJson}, and throws `PayloadTooLargeError` when the text takes more than `limit` bytes. */
export function stringifyJsonWithin(value: unknown, root: string, limit: number): string {
  const text = stringifyJson(value, root);
  checkTextSize(text, root, limit);
  return text;
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

function check(value: unknown, path: string, walk: Walk): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) throw new PayloadNotSerializableError(path, `${value} is not a JSON number`);
      if (value === 0 && Object.is(value, -0)) walk.hasNegativeZero = true;
      return;
    case "object":
      if (value !== null) checkObject(value, path, walk);
      return;
    default:
      throw new PayloadNotSerializableError(path, `${typeof value} has no JSON form`);
  }
}

function checkObject(value: object, path: string, walk: Walk): void {
  if (walk.seen.includes(value)) throw new PayloadNotSerializableError(path, "it refers back to itself");
  if (walk.seen.length >= MAX_JSON_DEPTH) {
    throw new PayloadNotSerializableError(path, `nesting is deeper than ${MAX_JSON_DEPTH}`);
  }
  walk.seen.push(value);
  try {
    if (Array.isArray(value)) checkArray(value, path, walk);
    else checkProperties(value, path, walk);
  } catch (error) {
    if (error instanceof PayloadNotSerializableError) throw error;
    throw new PayloadNotSerializableError(path, "reading it throws", error);
  }
  walk.seen.pop();
}

function checkArray(value: readonly unknown[], path: string, walk: Walk): void {
  if (Object.keys(value).length !== value.length) {
    throw new PayloadNotSerializableError(path, "the array has holes or extra properties");
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
    throw new PayloadNotSerializableError(path, "it has a toJSON method");
  }
  for (let index = 0; index < value.length; index += 1) check(value[index], `${path}[${index}]`, walk);
}

function checkProperties(value: object, path: string, walk: Walk): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    const name: unknown = (prototype as { constructor?: { name?: unknown } }).constructor?.name;
    const label = typeof name === "string" && name !== "" ? name : "a class";
    // An object of another realm (a vm context, a frame) has a foreign, yet plain, prototype.
    if (label !== "Object" || Object.getPrototypeOf(prototype) !== null) {
      throw new PayloadNotSerializableError(path, `an instance of ${label} is not plain data`);
    }
  }
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (typeof key === "symbol" || descriptor === undefined || !descriptor.enumerable) {
      throw new PayloadNotSerializableError(path, "it has a symbol or hidden property");
    }
    const here = `${path}.${key}`;
    if (!("value" in descriptor)) throw new PayloadNotSerializableError(here, "it is an accessor");
    check(descriptor.value, here, walk);
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
