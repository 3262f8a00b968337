import initSqlJs from "sql.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqlJsDatabase } from "../../../adapters/sqljs/sqljs-database.ts";
import { inTransaction } from "../../../adapters/sqlite/database/transaction.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { StorageLease } from "../../../src/contracts/storage-driver.ts";
import { ClosedError, EngineError, StorageFullError, StorageIoError } from "../../../src/errors.ts";
import { describeSqlDatabaseContract } from "../../contract/sql-database/index.ts";
import { thrownBy } from "../../src/core/thrown-by.ts";
import { aLease } from "../sqlite/database/open-engine.ts";

const library = await initSqlJs();
const INSERT = "insert into t (id) values (:id)";

interface Bench {
  readonly database: SqlJsDatabase;
  /** Images stored so far. */
  readonly stored: Uint8Array[];
  /** Thrown instead of storing the next image. */
  fault: Error | undefined;
  ids(): unknown;
}

/** A database on a lease that counts what is stored, and fails when it is told to. */
async function aBench(): Promise<Bench> {
  const lease: StorageLease = await aLease(memoryStorage());
  const stored: Uint8Array[] = [];
  const replace = (image: Uint8Array): void => {
    const { fault } = bench;
    bench.fault = undefined;
    if (fault !== undefined) throw fault;
    stored.push(image);
    lease.replace?.(image);
  };
  const { path } = lease;
  const database = new SqlJsDatabase(
    library,
    { path, open: (name: "db") => lease.open(name), replace } as never,
    new Uint8Array(),
  );
  const ids = (): unknown => database.all<{ id: number }>("select id from t order by id").map(({ id }) => id);
  const bench: Bench = { database, stored, fault: undefined, ids };
  onTestFinished(() => database.abandon());
  database.opened();
  database.run("create table t (id integer primary key) strict");
  return bench;
}

describeSqlDatabaseContract(
  "sql.js",
  async () => (await aBench()).database,
  "test/adapters/sqljs/sqljs-database.test.ts",
  { byteOrderMarks: false },
);

describe("sqljs/sqljs-database", () => {
  it("stores a whole image with each commit that wrote something, and with no other", async () => {
    const { database, stored } = await aBench();
    expect(stored).toHaveLength(1);
    inTransaction(database, () => [1, 2, 3].map((id) => database.run(INSERT, { id })));
    expect(stored).toHaveLength(2);
    inTransaction(database, () => database.all("select * from t"));
    thrownBy(() =>
      inTransaction(database, () => {
        database.run(INSERT, { id: 4 });
        throw new Error("boom");
      }),
    );
    database.all("select * from t");
    inTransaction(database, () => undefined);
    expect(stored).toHaveLength(2);
    database.run("pragma user_version = 5");
    expect(stored).toHaveLength(3);
    const copy = new library.Database(unmasked(stored[1]));
    expect(copy.exec("select count(*) from t")[0]?.values).toEqual([[3]]);
    copy.close();
  });

  it("masks what it stores while it is open, and no longer once it is closed", async () => {
    const { database, stored } = await aBench();
    database.close();
    expect(stored.map((image) => Buffer.from(image.subarray(0, 15)).toString("latin1"))).toEqual([
      "stem-sqlite ope",
      "SQLite format 3",
    ]);
  });

  it("knows whether a transaction is under way, and disturbs none", async () => {
    const { database, ids } = await aBench();
    expect(database.autocommit).toBe(true);
    database.run("begin immediate");
    database.run(INSERT, { id: 1 });
    expect(database.autocommit).toBe(false);
    database.run("commit");
    expect([database.autocommit, ids()]).toEqual([true, [1]]);
  });

  it("goes back to what is stored when storage is full, and goes on", async () => {
    const bench = await aBench();
    const { database, ids } = bench;
    database.run(INSERT, { id: 1 });
    bench.fault = new StorageFullError("test.db");
    const insert = (): number => inTransaction(database, () => database.run(INSERT, { id: 2 }));
    expect(thrownBy(insert)).toBeInstanceOf(StorageFullError);
    expect([database.failedFlushes, database.autocommit, ids()]).toEqual([0, true, [1]]);
    insert();
    expect(ids()).toEqual([1, 2]);
  });

  it("counts a fault after which nobody knows what is stored", async () => {
    const bench = await aBench();
    for (const fault of [new StorageIoError("rename", "test.db", "EIO"), new RangeError("no memory")]) {
      const before = bench.database.failedFlushes;
      bench.fault = fault;
      expect(thrownBy(() => bench.database.run("insert into t default values"))).toBe(fault);
      expect(bench.database.failedFlushes).toBe(before + 1);
    }
  });

  it("refuses every statement once it is closed or abandoned", async () => {
    const { database } = await aBench();
    database.abandon();
    database.abandon();
    expect(thrownBy(() => database.all("select 1"))).toBeInstanceOf(ClosedError);
    expect(thrownBy(() => database.close())).toBeInstanceOf(ClosedError);
  });

  it("takes no name in quotes or comments for a parameter", async () => {
    const { database } = await aBench();
    const sql = `select ':a' as "x:b", /* :c */ :d as d -- :e`;
    expect(database.get(sql, { d: 2 })).toEqual({ "x:b": ":a", d: 2 });
    expect(thrownBy(() => database.get(sql, { a: 1 }))).toBeInstanceOf(EngineError);
  });
});

function unmasked(image: Uint8Array | undefined): Uint8Array {
  const copy = Uint8Array.from(image ?? []);
  copy.set(Buffer.from("SQLite format 3\0"));
  return copy;
}
