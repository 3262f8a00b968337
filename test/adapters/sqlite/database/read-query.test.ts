import { beforeEach, describe, expect, it } from "vitest";
import type { ReadQuery } from "../../../../adapters/sqlite/database/read-query.ts";
import { runShared, type TransactionStep } from "../../../../adapters/sqlite/database/transaction.ts";
import type { WasmDatabase } from "../../../../adapters/sqlite/database/wasm-database.ts";
import { QueryError, QueryLimitError } from "../../../../src/error-database.ts";
import { thrownBy } from "../../../src/core/thrown-by.ts";
import { aBareDatabase } from "./open-engine.ts";

const LIMITS: Omit<ReadQuery, "sql"> = {
  parameters: {},
  maxRows: 100,
  maxSteps: 1_000_000,
  maxMilliseconds: 10_000,
  maxMemoryBytes: 50_000_000,
  maxValueBytes: 1_000_000,
  maxAnswerBytes: 100_000,
};
const WASM_PAGE_BYTES = 65_536;
const ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n)";

let database: WasmDatabase;
const ask = (sql: string, limits: Partial<ReadQuery> = {}) => database.query({ ...LIMITS, ...limits, sql });
const rowsOf = (sql: string, limits: Partial<ReadQuery> = {}) => ask(sql, limits).rows;
const findingOf = (sql: string, limits: Partial<ReadQuery> = {}): string => {
  const error = thrownBy(() => ask(sql, limits));
  expect(error).toBeInstanceOf(QueryError);
  return String((error as QueryError).details["finding"]);
};

beforeEach(async () => {
  database = await aBareDatabase();
  database.run("create table t (id integer primary key, name any) strict");
  database.run("create view v as select name from t");
  database.run("create index t_by_name on t (name)");
  database.run("insert into t values (1, 'a'), (2, null), (3, x'00ff')");
});

describe("database/read-query", () => {
  it("gives columns and rows, two columns of one name too", () => {
    expect(ask("select id, name, id as name from t order by id")).toEqual({
      columns: ["id", "name", "name"],
      rows: [
        [1, "a", 1],
        [2, null, 2],
        [3, new Uint8Array([0, 255]), 3],
      ],
      truncated: false,
    });
    expect(ask("select id from t where id > 9")).toEqual({ columns: ["id"], rows: [], truncated: false });
  });

  it.each<[string, unknown]>([
    ["values (1.5)", 1.5],
    ["select name from v limit 1", "a"],
    ["select 9007199254740991", Number.MAX_SAFE_INTEGER],
    ["select -9007199254740991", Number.MIN_SAFE_INTEGER],
    ["select cast(9007199254740993 as text)", "9007199254740993"],
    ["select 9e999", Number.POSITIVE_INFINITY],
    ["select 'a' || char(0) || 'b'", "a\0b"],
    ["select 1 -- the end", 1],
    ["/* first */ select 1 ; ; -- and last", 1],
    ["explain query plan select * from t", 2],
    ["pragma page_size", 8192],
    ["PRAGMA table_info(t)", 0],
    ["select name from pragma_table_info('t')", "id"],
    ["select value from json_each('[7]')", 7],
  ])("answers %j", (sql, value) => {
    expect(rowsOf(sql)[0]?.[0]).toEqual(value);
  });

  it.each([9007199254740993n, -(2n ** 63n)])("refuses the integer %s, which no number holds", (value) => {
    expect(findingOf(`select 1, ${value} as big`)).toContain(`column "big" has the integer ${value}`);
  });

  it.each([
    "insert into t values (9, 'x')",
    "insert into t values (9, 'x') returning id",
    "update t set name = 1",
    "delete from t",
    "explain delete from t",
    "create table other (a)",
    "create temp table other (a)",
    "create virtual table other using fts5(a)",
    "drop table t",
    "alter table t add column more",
    "begin",
    "commit",
    "rollback",
    "savepoint a",
    "release step",
    "vacuum",
    "vacuum into 'x.db'",
    "analyze",
    "reindex",
    "attach ':memory:' as other",
    "detach main",
    "pragma journal_mode = delete",
    "pragma journal_mode",
    "pragma wal_checkpoint",
    "pragma user_version = 7",
    "pragma writable_schema = on",
    "pragma locking_mode = normal",
    "pragma optimize",
    "update sqlite_dbpage set data = zeroblob(4096)",
    "insert into sqlite_dbpage values (2, zeroblob(4096))",
    "with a as (select 1) delete from t",
  ])("refuses %j before any effect", (sql) => {
    const changes = database.totalChanges;
    expect(findingOf(sql)).toContain("only one statement that reads is allowed");
    expect(database.totalChanges).toBe(changes);
    expect(database.autocommit).toBe(true);
    expect(database.all("select count(*) as count from t")).toEqual([{ count: 3 }]);
  });

  it.each<[string, string]>([
    ["selec 1", 'near "selec": syntax error'],
    ["select * from nowhere", "no such table: nowhere"],
    ["select json('{')", "malformed JSON"],
    ["select abs(-9223372036854775808)", "integer overflow"],
    ["", "it holds no statement"],
    [" -- nothing\n;", "it holds no statement"],
    ["select 1; select 2", "there are several"],
    ["select 1; delete from t", "does more than read"],
    ["select 1; nonsense", "syntax error"],
    ["select :a", "parameter :a is not given"],
    ["select ?", "have no names"],
  ])("says what is wrong with %j", (sql, finding) => {
    expect(findingOf(sql)).toContain(finding);
    expect(rowsOf("select 1")).toEqual([[1]]);
  });

  it("binds parameters by name, and takes none that is not in the statement", () => {
    const parameters = { a: "x", b: null, c: new Uint8Array([1]), d: 0.5 };
    expect(rowsOf("select :a, :b, $c, @d, :a", { parameters })).toEqual([["x", null, parameters.c, 0.5, "x"]]);
    expect(findingOf("select :a", { parameters })).toContain("it has no parameter :b");
    expect(findingOf("select :toString")).toContain(":toString is not given");
  });

  it("stops at the allowed rows and bytes, and says so", () => {
    expect(ask("select id from t", { maxRows: 2 })).toMatchObject({ rows: [[1], [2]], truncated: true });
    expect(ask("select id from t", { maxRows: 3 })).toMatchObject({ rows: [[1], [2], [3]], truncated: false });
    const answer = ask(`${ENDLESS} select zeroblob(900) from n`, { maxRows: 1000 });
    expect([answer.rows.length, answer.truncated]).toEqual([110, true]);
  });

  it.each<[string, Partial<ReadQuery>, string]>([
    [`${ENDLESS} select count(*) from n`, {}, "steps"],
    [`${ENDLESS} select i from n where i < 0`, {}, "steps"],
    ["select zeroblob(2000000)", {}, "bytes for one value"],
    ["select replace(hex(zeroblob(400000)), '0', 'xxxx')", {}, "bytes for one value"],
    ["select zeroblob(200000)", {}, "bytes for one row"],
    [`${ENDLESS} select zeroblob(900000 + i) from n order by 1`, { maxSteps: 1e9 }, "bytes of memory"],
  ])("stops %j", (sql, limits, what) => {
    const error = thrownBy(() => ask(sql, limits));
    expect(error).toBeInstanceOf(QueryLimitError);
    expect((error as Error).message).toContain(what);
    expect(rowsOf("select 1")).toEqual([[1]]);
    expect(database.get("select length(zeroblob(2000000)) as bytes")).toEqual({ bytes: 2_000_000 });
  });

  it("stops a statement that takes all memory within a few steps, however often it is tried", () => {
    const blobs = (count: number): string =>
      `with b(x) as materialized (values ${Array.from({ length: count }, () => "(zeroblob(900000) || 'x')").join()})
       select count(x) from b`;
    const before = database.memoryBytes;
    for (let time = 0; time < 3; time += 1) {
      expect(thrownBy(() => ask(blobs(200)))).toMatchObject({ details: { limit: LIMITS.maxMemoryBytes } });
    }
    const growth = database.memoryBytes - before;
    expect(growth).toBeLessThanOrEqual(LIMITS.maxMemoryBytes + LIMITS.maxValueBytes + WASM_PAGE_BYTES);
    expect(rowsOf(blobs(20))).toEqual([[20]]);
  });

  it("compares with short patterns only: a comparison cannot be interrupted", () => {
    expect(findingOf(`select hex(zeroblob(2000)) like hex(zeroblob(1000)) || '%'`)).toContain("pattern too complex");
    expect(rowsOf(`select hex(zeroblob(2000)) like hex(zeroblob(10)) || '%'`)).toEqual([[1]]);
  });

  it("leaves the other calls of its transaction alone, whatever becomes of it", () => {
    const failures: unknown[] = [];
    const asking = (sql: string): TransactionStep => ({
      kind: "read",
      run: () => void ask(sql),
      fail: (error) => void failures.push(error),
    });
    const writing = (id: number): TransactionStep => ({
      kind: "statement",
      run: () => void database.run("insert into t (id) values (:id)", { id }),
      fail: (error) => void failures.push(error),
    });
    const steps = [
      writing(10),
      asking(`${ENDLESS} select count(*) from n`),
      writing(11),
      asking("rollback"),
      asking("select zeroblob(2000000)"),
      writing(12),
      asking("select nothing"),
      asking(`${ENDLESS} select zeroblob(900000 + i) from n order by 1`),
      writing(13),
    ];
    expect(runShared(database, steps, () => undefined)).toEqual({ kind: "committed" });
    expect(failures.map((error) => (error as Error).name)).toEqual([
      "QueryLimitError",
      "QueryError",
      "QueryLimitError",
      "QueryError",
      "QueryLimitError",
    ]);
    expect(rowsOf("select id from t where id > 9")).toEqual([[10], [11], [12], [13]]);
  });

  it("sees what the transaction around it has done", () => {
    const seen: unknown[] = [];
    const run = (): void => {
      database.run("insert into t (id) values (20)");
      seen.push(rowsOf("select max(id) from t"));
    };
    runShared(database, [{ kind: "statement", run, fail: () => undefined }], () => undefined);
    expect(seen).toEqual([[[20]]]);
  });

  it("does not keep the engine growing", () => {
    const turn = (): void => {
      thrownBy(() => ask("selec 1"));
      thrownBy(() => ask("select 1; select 2"));
      thrownBy(() => ask(`${ENDLESS} select count(*) from n`, { maxSteps: 20_000 }));
      ask("select :a", { parameters: { a: "x".repeat(200_000) }, maxAnswerBytes: 1_000_000 });
    };
    for (let time = 0; time < 20; time += 1) turn();
    const { memoryBytes } = database;
    for (let time = 0; time < 200; time += 1) turn();
    expect(database.memoryBytes).toBe(memoryBytes);
  });
});
