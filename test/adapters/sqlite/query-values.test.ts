import { describe, expect, it } from "vitest";
import { fromQueryValue, toQueryValue } from "../../../adapters/sqlite/query-values.ts";
import type { SqlValue } from "../../../src/contracts/sql-database.ts";

describe("query-values", () => {
  it.each<[string, SqlValue]>([
    ["null", null],
    ["zero", 0],
    ["-0", -0],
    ["a fraction", -1.5e-300],
    ["the largest number", Number.MAX_VALUE],
    ["infinity", Infinity],
    ["minus infinity", -Infinity],
    ["text", "a\0\u{10ffff}"],
    ["no text", ""],
    ["no bytes", new Uint8Array(0)],
    ["every byte", Uint8Array.from({ length: 256 }, (_, byte) => byte)],
    ["more bytes than a call takes arguments", new Uint8Array(200_001).fill(254)],
  ])("brings %s through JSON as it was", (_label, value) => {
    expect(fromQueryValue(JSON.parse(JSON.stringify(toQueryValue(value))))).toStrictEqual(value);
  });
});
