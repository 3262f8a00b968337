import { assert, property } from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { SqlSession, SqlValue } from "../../../src/contracts/sql-database.ts";
import { EngineError } from "../../../src/errors.ts";
import { anyText } from "../../src/core/any-text.ts";
import { replayable } from "../../src/core/replay.ts";
import { thrownBy } from "../../src/core/thrown-by.ts";

/** As large as the room that our own engine has for the texts of a statement. */
const ARENA_BYTES = 131_072;
const STORE = "insert into kept (value) values (:value)";
const LATEST = "select value from kept order by rowid desc limit 1";

function asUtf8(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

/** How engines differ. */
export interface SqlDatabaseContractOptions {
  /** A text that begins with a byte order mark is stored, and not refused. @defaultValue `true` */
  readonly byteOrderMarks?: boolean;
}

/** What a session stores and gives back. `open` makes an empty database; `file` is named in the replay of a failure. */
export function describeSqlValues(
  open: () => Promise<SqlSession>,
  file: string,
  { byteOrderMarks = true }: SqlDatabaseContractOptions,
): void {
  let database: SqlSession;
  const kept = (value: SqlValue): unknown => {
    database.run(STORE, { value });
    return database.get<{ value: SqlValue }>(LATEST)?.value;
  };

  beforeEach(async () => {
    database = await open();
    database.run("create table kept (value any) strict");
  });

  describe("values", () => {
    it.each<[string, SqlValue]>([
      ["null", null],
      ["zero", 0],
      ["one", 1],
      ["a negative number", -1],
      ["the largest 32-bit integer", 2 ** 31 - 1],
      ["one beyond 32 bits", 2 ** 31],
      ["the smallest 32-bit integer", -(2 ** 31)],
      ["one below 32 bits", -(2 ** 31) - 1],
      ["a time in milliseconds", 8.64e15],
      ["the largest safe integer", Number.MAX_SAFE_INTEGER],
      ["the smallest safe integer", Number.MIN_SAFE_INTEGER],
      ["a float", 0.1],
      ["a negative float", -1.5e-300],
      ["the largest float", Number.MAX_VALUE],
      ["the smallest float", Number.MIN_VALUE],
      ["an integer beyond the safe ones", 2 ** 60],
      ["an empty text", ""],
      ["a text", "héllo €"],
      ["a NUL inside", "a\0b"],
      ["a NUL at either end", "\0x\0"],
      ["four-byte characters", "😀𝒳\u{10ffff}"],
      ["a byte order mark inside", "x\ufeffx"],
      ["a text that looks like a number", "0012"],
      ["a text as long as the arena", "x".repeat(ARENA_BYTES)],
      ["a text that fills the arena", "x".repeat(Math.floor(ARENA_BYTES / 3))],
      ["a text one beyond the arena", "€".repeat(Math.floor(ARENA_BYTES / 3) + 1)],
      ["a text far beyond the arena", "é\0😀".repeat(300_000)],
    ])("brings %s back as it was", (_label, value) => {
      expect(Object.is(kept(value), value)).toBe(true);
    });

    it("brings a text with a byte order mark in front back as it was, or refuses it", () => {
      const text = "\ufeffx";
      if (byteOrderMarks) expect(kept(text)).toBe(text);
      else expect(thrownBy(() => kept(text))).toBeInstanceOf(EngineError);
    });

    it("brings any text back, lone surrogates as U+FFFD: SQLite's text is UTF-8, which has no form for them", () => {
      assert(
        property(
          anyText(30).filter((text) => !text.startsWith("\ufeff")),
          (text) => kept(text) === asUtf8(text),
        ),
        replayable(file, 500),
      );
      expect(kept("a\ud800b")).toBe("a\ufffdb");
      expect(kept(`\udc00${"x".repeat(ARENA_BYTES)}\ud800`)).toBe(`\ufffd${"x".repeat(ARENA_BYTES)}\ufffd`);
    });

    it("stores -0 as 0: SQLite's integers have no sign for it", () => {
      expect(Object.is(kept(-0), 0)).toBe(true);
    });

    it.each([0, 1, 255, 4_096, 70_000, 2_000_000])("brings %i bytes back, copied", (length) => {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) & 0xff);
      const back = kept(bytes) as Uint8Array;
      expect(Buffer.compare(back, bytes)).toBe(0);
      back.fill(9);
      expect(Buffer.compare(database.get<{ value: Uint8Array }>(LATEST)?.value ?? back, bytes)).toBe(0);
    });

    it("takes a view of a larger buffer for what it shows", () => {
      expect(kept(new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3))).toEqual(new Uint8Array([2, 3]));
      expect(kept(Buffer.from("abc"))).toEqual(new Uint8Array([97, 98, 99]));
    });

    it("binds many texts of one statement that fill the arena together", () => {
      const third = "a".repeat(ARENA_BYTES / 6);
      const values = { a: `${third}1`, b: `${third}2`, c: `${third}3`, d: "d\0", e: "" };
      expect(database.get("select :a as a, :b as b, :c as c, :d as d, :e as e", values)).toEqual(values);
    });

    it("binds the same parameter wherever it stands", () => {
      expect(database.get("select :x as a, :x || :y as b", { x: "1", y: "2" })).toEqual({ a: "1", b: "12" });
    });

    it.each<[string, unknown]>([
      ["undefined", undefined],
      ["NaN", Number.NaN],
      ["Infinity", Number.POSITIVE_INFINITY],
      ["-Infinity", Number.NEGATIVE_INFINITY],
      ["a boolean", true],
      ["a BigInt", 1n],
      ["a symbol", Symbol("s")],
      ["a function", () => 1],
      ["a date", new Date(0)],
      ["an object", {}],
      ["an array", [1]],
      ["a boxed string", Object("x")],
      ["an ArrayBuffer", new ArrayBuffer(2)],
      ["other views", new Uint16Array(2)],
    ])("refuses %s with a typed error, and goes on", (_label, value) => {
      const error = thrownBy(() => database.run(STORE, { value: value as SqlValue }));
      expect(error).toBeInstanceOf(EngineError);
      expect((error as Error).message).toContain(":value");
      expect(database.all("select * from kept")).toEqual([]);
      expect(kept("after")).toBe("after");
    });

    it("refuses a missing parameter, and takes none from a prototype", () => {
      expect(thrownBy(() => database.run(STORE))).toBeInstanceOf(EngineError);
      expect(thrownBy(() => database.run(STORE, {}))).toBeInstanceOf(EngineError);
      expect(thrownBy(() => database.get("select :toString as x", {}))).toBeInstanceOf(EngineError);
    });
  });
}
