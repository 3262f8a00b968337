import { beforeEach, describe, expect, it } from "vitest";
import { ConstraintError, isConstraintError } from "../../../adapters/sqlite/database/engine-errors.ts";
import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import { EngineError } from "../../../src/errors.ts";
import { thrownBy } from "../../src/core/thrown-by.ts";

/** How a session runs statements. `open` makes an empty database. */
export function describeSqlStatements(open: () => Promise<SqlSession>): void {
  let database: SqlSession;

  beforeEach(async () => {
    database = await open();
    database.run("create table kept (value any) strict");
  });

  describe("statements", () => {
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
  });
}
