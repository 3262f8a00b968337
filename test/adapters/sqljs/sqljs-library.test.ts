import initSqlJs, { type SqlJsStatic } from "sql.js";
import { describe, expect, it } from "vitest";
import { sqlJsEngine } from "../../../adapters/sqljs/index.ts";
import { expectError } from "../../contract/support.ts";
import { thrownBy } from "../../src/core/thrown-by.ts";

const sqlJs = await initSqlJs();

/** sql.js whose databases differ from the present ones. */
function withDatabase(change: (database: InstanceType<SqlJsStatic["Database"]>) => object): never {
  return {
    Database: function Database() {
      const database = new sqlJs.Database();
      return Object.assign(database, change(database));
    },
  } as never;
}

describe("sqljs/sqljs-library", () => {
  it.each([{}, { initSqlJs, sqlJs }, { initSqlJs: 5 }, { initSqlJs: sqlJs }, { other: 1 }, null, undefined])(
    "refuses options that do not say where sql.js is (case %#)",
    (options) => {
      expect(thrownBy(() => sqlJsEngine(options as never))).toMatchObject({ code: "STEM_INVALID_OPTION" });
    },
  );

  it("refuses what is not sql.js", async () => {
    for (const nothing of [5, {}, { Database: 5 }]) {
      await expectError(() => sqlJsEngine({ sqlJs: nothing as never }).prepare(), "STEM_INVALID_OPTION");
      const engine = sqlJsEngine({ initSqlJs: async () => nothing as never });
      await expectError(() => engine.prepare(), "STEM_INVALID_OPTION");
    }
  });

  it("refuses a release in which an export ends all statements", async () => {
    const old = withDatabase((database) => {
      const { prepare } = database;
      const statements: { free(): boolean }[] = [];
      return {
        prepare(sql: string) {
          const statement = prepare.call(database, sql);
          statements.push(statement);
          return statement;
        },
        export() {
          for (const statement of statements) statement.free();
          return new Uint8Array();
        },
      };
    });
    await expectError(() => sqlJsEngine({ sqlJs: old }).prepare(), "STEM_UNSUPPORTED_ENVIRONMENT");
  });

  it("refuses one that does not say which result codes it met", async () => {
    const prepare = (): never => {
      throw new Error("no code");
    };
    await expectError(
      () => sqlJsEngine({ sqlJs: withDatabase(() => ({ prepare })) }).prepare(),
      "STEM_UNSUPPORTED_ENVIRONMENT",
    );
    await expectError(
      () => sqlJsEngine({ sqlJs: withDatabase(() => ({ handleError: undefined })) }).prepare(),
      "STEM_UNSUPPORTED_ENVIRONMENT",
    );
  });

  it("loads sql.js once, when it is needed, and again after a failure", async () => {
    let calls = 0;
    const engine = sqlJsEngine({
      initSqlJs: async () => {
        if (++calls === 1) throw new Error("offline");
        return sqlJs;
      },
    });
    expect(calls).toBe(0);
    await expect(engine.prepare()).rejects.toThrow("offline");
    await Promise.all([engine.prepare(), engine.prepare()]);
    await engine.prepare();
    expect(calls).toBe(2);
  });
});
