import { assert, property } from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { ConstraintError, isConstraintError } from "../../../../adapters/sqlite/database/engine-errors.ts";
import type { WasmDatabase } from "../../../../adapters/sqlite/database/wasm-database.ts";
import type { SqlValue } from "../../../../src/contracts/sql-database.ts";
import { EngineError, StemError } from "../../../../src/errors.ts";
import { anyText } from "../../../src/core/any-text.ts";
import { replayable } from "../../../src/core/replay.ts";
import { thrownBy } from "../../../src/core/thrown-by.ts";
import { aBareDatabase } from "./open-engine.ts";

const ARENA_BYTES = 131_072;
const STORE = "insert into kept (value) values (:value)";
const LATEST = "select value from kept order by rowid desc limit 1";

let database: WasmDatabase;

beforeEach(async () => {
  database = await aBareDatabase();
  database.run("create table kept (value any) strict");
});

function asUtf8(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

function kept(value: SqlValue): unknown {
  database.run(STORE, { value });
  return database.get<{ value: SqlValue }>(LATEST)?.value;
}

describe("database/wasm-database values", () => {
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
    ["a byte order mark", "\ufeffx"],
    ["a text that looks like a number", "0012"],
    ["a text as long as the arena", "x".repeat(ARENA_BYTES)],
    ["a text that fills the arena", "x".repeat(Math.floor(ARENA_BYTES / 3))],
    ["a text one beyond the arena", "€".repeat(Math.floor(ARENA_BYTES / 3) + 1)],
    ["a text far beyond the arena", "é\0😀".repeat(300_000)],
  ])("brings %s back as it was", (_label, value) => {
    expect(Object.is(kept(value), value)).toBe(true);
  });

  it("brings any text back, lone surrogates as U+FFFD: SQLite's text is UTF-8, which has no form for them", () => {
    assert(
      property(anyText(30), (text) => kept(text) === asUtf8(text)),
      replayable("test/adapters/sqlite/database/wasm-database.test.ts", 500),
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

describe("database/wasm-database statements", () => {
  it("tells changed rows, the first row, all rows and no row", () => {
    database.run("insert into kept values (1), (2), (3)");
    expect(database.run("update kept set value = value + 1 where value > :n", { n: 1 })).toBe(2);
    expect(database.get("select value from kept order by value")).toEqual({ value: 1 });
    expect(database.get("select value from kept where value = 9")).toBeUndefined();
    expect(database.all("select value from kept order by value")).toEqual([{ value: 1 }, { value: 3 }, { value: 4 }]);
    expect(database.all("select value from kept where value = 9")).toEqual([]);
  });

  it("runs a statement again after it failed", () => {
    database.run("create table once (id integer primary key, name text not null) strict");
    const insert = "insert into once (id, name) values (:id, :name)";
    database.run(insert, { id: 1, name: "a" });
    for (let time = 0; time < 3; time += 1) {
      const error = thrownBy(() => database.run(insert, { id: 1, name: "b" }));
      expect(error).toBeInstanceOf(ConstraintError);
      expect(isConstraintError(error)).toBe(true);
      expect((error as Error).message).toContain("once.id");
    }
    expect(thrownBy(() => database.run(insert, { id: 2, name: null }))).toBeInstanceOf(ConstraintError);
    expect(thrownBy(() => database.run(insert, { id: "x", name: "a" }))).toBeInstanceOf(EngineError);
    database.run(insert, { id: 2, name: "b" });
    expect(database.all("select * from once")).toEqual([
      { id: 1, name: "a" },
      { id: 2, name: "b" },
    ]);
  });

  it("leaves nothing of the last values behind", () => {
    const select = "select :a as a, :b as b";
    expect(database.get(select, { a: "long text", b: 1 })).toEqual({ a: "long text", b: 1 });
    expect(thrownBy(() => database.get(select, { a: "x" }))).toBeInstanceOf(EngineError);
    expect(database.get(select, { a: "", b: null })).toEqual({ a: "", b: null });
  });

  it("takes only the first row of many, and the statement can be used at once", () => {
    database.run("insert into kept values (1), (2), (3)");
    const select = "select value from kept order by value";
    expect([1, 2, 3].map(() => database.get<{ value: number }>(select)?.value)).toEqual([1, 1, 1]);
    expect(database.run("delete from kept")).toBe(3);
  });

  it.each([
    "selec 1",
    "select * from nowhere",
    "select nothing from kept",
    "insert into kept (other) values (1)",
    "select 1 from kept where x = :x",
  ])("says what is wrong with %j", (sql) => {
    const error = thrownBy(() => database.all(sql));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: "STEM_ENGINE", retryable: false });
    expect(database.all("select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("keeps a statement good when the schema changes under it", () => {
    const select = "select * from kept";
    database.run("insert into kept values (1)");
    expect(database.get(select)).toEqual({ value: 1 });
    database.run("create table other (a) ");
    database.run("alter table kept add column more text");
    expect(database.get("select more from kept")).toEqual({ more: null });
    expect(database.get<{ value: number }>(select)?.value).toBe(1);
  });

  it("does not reach other files and does not load code", () => {
    expect(thrownBy(() => database.run("attach database 'other.db' as other"))).toBeInstanceOf(StemError);
    expect(thrownBy(() => database.get("select load_extension('x')"))).toBeInstanceOf(StemError);
    expect(thrownBy(() => database.run("update sqlite_schema set sql = 'x'"))).toBeInstanceOf(StemError);
  });
});

describe("database/wasm-database memory", () => {
  it("is right on both sides of a growth, for values bound before and read after", () => {
    const before = database.memoryBytes;
    const bytes = new Uint8Array(20_000_000).map((_, index) => (index * 7) & 0xff);
    database.run("insert into kept values ('small')");
    expect(Buffer.compare(kept(bytes) as Uint8Array, bytes)).toBe(0);
    expect(database.memoryBytes).toBeGreaterThan(before);
    expect(
      database.all<{ value: SqlValue }>("select value from kept order by rowid").map(({ value }) => typeof value),
    ).toEqual(["string", "object"]);
    const text = "ö".repeat(5_000_000);
    expect(kept(text) === text).toBe(true);
    expect(kept("after")).toBe("after");
  });

  it("does not grow when a statement runs many times, also when it fails", () => {
    const text = "x".repeat(ARENA_BYTES);
    const turn = (): void => {
      database.run("delete from kept");
      kept(text);
      thrownBy(() => database.run("insert into kept values (json(:bad))", { bad: text }));
    };
    for (let time = 0; time < 20; time += 1) turn();
    const { memoryBytes } = database;
    for (let time = 0; time < 200; time += 1) turn();
    expect(database.memoryBytes).toBe(memoryBytes);
  });

  it("says when a value is larger than SQLite takes, and goes on", () => {
    expect(thrownBy(() => database.get("select zeroblob(2000000000) as n"))).toBeInstanceOf(StemError);
    expect(database.get("select 1 as one")).toEqual({ one: 1 });
  });
});
