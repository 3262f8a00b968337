import { beforeEach, describe, expect, it } from "vitest";
import type { WasmDatabase } from "../../../../adapters/sqlite/database/wasm-database.ts";
import type { SqlValue } from "../../../../src/contracts/sql-database.ts";
import { StemError } from "../../../../src/errors.ts";
import { describeSqlDatabaseContract } from "../../../contract/sql-database/index.ts";
import { thrownBy } from "../../../src/core/thrown-by.ts";
import { aBareDatabase } from "./open-engine.ts";

describeSqlDatabaseContract(
  "our own engine",
  () => aBareDatabase(),
  "test/adapters/sqlite/database/wasm-database.test.ts",
);

const ARENA_BYTES = 131_072;
const STORE = "insert into kept (value) values (:value)";
const LATEST = "select value from kept order by rowid desc limit 1";

let database: WasmDatabase;

beforeEach(async () => {
  database = await aBareDatabase();
  database.run("create table kept (value any) strict");
});

function kept(value: SqlValue): unknown {
  database.run(STORE, { value });
  return database.get<{ value: SqlValue }>(LATEST)?.value;
}

describe("database/wasm-database", () => {
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
