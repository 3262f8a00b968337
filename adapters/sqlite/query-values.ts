import type { SqlValue } from "../../src/contracts/sql-database.ts";
import { fromBase64, toBase64 } from "./base64.ts";

/** A value of SQL as JSON: bytes, and numbers that JSON has no form for, are wrapped. */
export type QueryValue = null | number | string | { readonly blob: string } | { readonly number: string };

/** Makes a value ready for a channel that carries JSON; nothing is lost. */
export function toQueryValue(value: SqlValue): QueryValue {
  if (value instanceof Uint8Array) return { blob: toBase64(value) };
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return { number: "-0" };
  return Number.isFinite(value) ? value : { number: String(value) };
}

/** The value that {@link toQueryValue} was given. */
export function fromQueryValue(value: QueryValue): SqlValue {
  if (value === null || typeof value !== "object") return value;
  return "blob" in value ? fromBase64(value.blob) : Number(value.number);
}
