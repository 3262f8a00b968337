import { beforeEach, describe, expect, it } from "vitest";
import {
  inTransaction,
  runShared,
  type TransactionEnd,
  type TransactionStep,
} from "../../../../adapters/sqlite/database/transaction.ts";
import type { WasmDatabase } from "../../../../adapters/sqlite/database/wasm-database.ts";
import { EngineError, OutcomeUnknownError, StorageFullError, StorageIoError } from "../../../../src/errors.ts";
import { SimDisk } from "../../../support/sim-disk.ts";
import { thrownBy } from "../../../src/core/thrown-by.ts";
import { aBareDatabase } from "./open-engine.ts";

const nothing = (): void => undefined;
const INSERT = "insert into t (id) values (:id)";

interface Recorded extends TransactionStep {
  readonly errors: unknown[];
}

function step(kind: TransactionStep["kind"], run: () => void): Recorded {
  const errors: unknown[] = [];
  return { kind, run, errors, fail: (error) => void errors.push(error) };
}

let database: WasmDatabase;
const ids = (): number[] => database.all<{ id: number }>("select id from t order by id").map(({ id }) => id);
const add = (...numbers: number[]): void => numbers.forEach((id) => void database.run(INSERT, { id }));

describe("database/transaction", () => {
  beforeEach(async () => {
    database = await aBareDatabase();
    database.run("create table t (id integer primary key) strict");
  });

  it("commits all steps together, in order, and what beforeCommit did", () => {
    const order: string[] = [];
    const steps = ["a", "b", "c"].map((name, index) =>
      step("statement", () => {
        order.push(name);
        add(index);
      }),
    );
    expect(runShared(database, steps, () => add(9))).toEqual({ kind: "committed" });
    expect([order, ids(), database.autocommit]).toEqual([["a", "b", "c"], [0, 1, 2, 9], true]);
  });

  it("lets a failing statement fail alone", () => {
    const bad = step("statement", () => add(1));
    const steps = [step("statement", () => add(1)), bad, step("statement", () => add(2))];
    expect(runShared(database, steps, nothing).kind).toBe("committed");
    expect(ids()).toEqual([1, 2]);
    expect(bad.errors).toHaveLength(1);
    expect(steps[0]?.errors).toEqual([]);
  });

  it("undoes a failing unit of several statements alone", () => {
    const boom = new Error("boom");
    const bad = step("steps", () => {
      add(10, 11);
      throw boom;
    });
    const broken = step("steps", () => add(20, 21, 1));
    const steps = [step("statement", () => add(1)), bad, broken, step("steps", () => add(2, 3))];
    expect(runShared(database, steps, nothing).kind).toBe("committed");
    expect(ids()).toEqual([1, 2, 3]);
    expect(bad.errors).toEqual([boom]);
    expect(broken.errors).toHaveLength(1);
  });

  it("keeps many failures of one batch apart", () => {
    const steps = Array.from({ length: 100 }, (_, index) =>
      step(index % 2 === 0 ? "steps" : "statement", () => {
        if (index % 2 === 0) add(index);
        if (index % 3 === 0) throw new Error(`no ${index}`);
        if (index % 2 === 1) add(index);
      }),
    );
    expect(runShared(database, steps, nothing).kind).toBe("committed");
    expect(ids()).toEqual(Array.from({ length: 100 }, (_, index) => index).filter((index) => index % 3 !== 0));
    expect(steps.filter(({ errors }) => errors.length === 1)).toHaveLength(34);
  });

  it("undoes everything when beforeCommit throws, and says so", () => {
    const boom = new Error("boom");
    const end = runShared(database, [step("statement", () => add(1))], () => {
      add(2);
      throw boom;
    });
    expect(end).toMatchObject({ kind: "failed", error: { code: "STEM_ENGINE", outcome: "not-applied" } });
    expect(end.kind === "failed" && end.error.cause).toBe(boom);
    expect([ids(), database.autocommit]).toEqual([[], true]);
    expect(runShared(database, [step("statement", () => add(3))], nothing).kind).toBe("committed");
  });

  it("fails everything when a step ends the transaction", () => {
    const steps = [
      step("statement", () => add(1)),
      step("statement", () => {
        database.run("rollback");
        throw new EngineError("gone");
      }),
      step("statement", () => add(2)),
    ];
    expect(runShared(database, steps, nothing)).toMatchObject({ kind: "failed" });
    expect(ids()).toEqual([]);
    expect(steps[1]?.errors).toEqual([]);
  });

  it("commits an empty batch", () => {
    expect(runShared(database, [], nothing)).toEqual({ kind: "committed" });
  });

  it("runs work in a transaction of its own, undone by a throw", () => {
    expect(inTransaction(database, () => (add(1), "value"))).toBe("value");
    const boom = new Error("boom");
    expect(
      thrownBy(() =>
        inTransaction(database, () => {
          add(2);
          throw boom;
        }),
      ),
    ).toBe(boom);
    expect([ids(), database.autocommit]).toEqual([[1], true]);
    expect(thrownBy(() => inTransaction(database, () => inTransaction(database, nothing)))).toBeInstanceOf(EngineError);
    expect(database.autocommit).toBe(true);
  });
});

describe("database/transaction on a faulty disk", () => {
  const ROWS = 40;
  const big = { data: new Uint8Array(4_000) };
  let disk: SimDisk;

  /** A database whose cache is so small that pages go to the log long before the commit. */
  async function openOnDisk(): Promise<void> {
    database = await aBareDatabase(disk);
    database.get("pragma locking_mode = exclusive");
    database.get("pragma journal_mode = wal");
    database.run("pragma synchronous = full");
    database.run("pragma cache_size = 5");
  }

  async function begin(): Promise<number> {
    disk = new SimDisk();
    await openOnDisk();
    database.run("create table t (id integer primary key, data blob) strict");
    add(1);
    return disk.operationCount;
  }

  function runBatch(): { end: TransactionEnd; steps: readonly Recorded[] } {
    const insert = "insert into t (id, data) values (:id, :data)";
    const steps = Array.from({ length: ROWS }, (_, index) =>
      step(index % 2 === 0 ? "statement" : "steps", () => void database.run(insert, { id: 10 + index, ...big })),
    );
    return { end: runShared(database, steps, nothing), steps };
  }

  /** The rows that another process finds after this one is killed. */
  async function survivors(): Promise<number[]> {
    database.abandon();
    const found = disk.crashAt(disk.operationCount, { mode: "killed", random: () => 0 });
    disk = found;
    await openOnDisk();
    return ids();
  }

  it("fails all of it, honestly, wherever the disk becomes full", async () => {
    const ends: Record<string, number> = {};
    for (let offset = 0, isDone = false; !isDone; offset += 1 + (offset % 5)) {
      const before = await begin();
      disk.failAt(before + offset, "ENOSPC", "persistent");
      const { end, steps } = runBatch();
      ends[end.kind] = (ends[end.kind] ?? 0) + 1;
      const rows = await survivors();
      isDone = end.kind === "committed";
      if (end.kind === "committed") expect(rows).toHaveLength(1 + ROWS);
      else if (end.kind === "failed") {
        expect(rows, `at call ${offset}`).toEqual([1]);
        expect(end.error).toBeInstanceOf(StorageFullError);
        expect(steps.flatMap(({ errors }) => errors).every((error) => error instanceof StorageFullError)).toBe(true);
      } else expect([1, 1 + ROWS]).toContain(rows.length);
    }
    expect(ends["failed"]).toBeGreaterThan(5);
  });

  it.each(["EIO", "short"] as const)("tells an unknown outcome from a failure when a call answers %s", async (kind) => {
    const ends: Record<string, number> = {};
    for (let offset = 0, isDone = false; !isDone; offset += 1 + (offset % 5)) {
      const before = await begin();
      disk.failAt(before + offset, kind, "once");
      const { end } = runBatch();
      ends[end.kind] = (ends[end.kind] ?? 0) + 1;
      const isReached = disk.operationCount > before + offset;
      const rows = await survivors();
      isDone = !isReached;
      if (end.kind === "committed") expect(rows.length).toBeGreaterThan(1);
      else if (end.kind === "failed") expect(rows, `at call ${offset}`).toEqual([1]);
      else {
        expect(end.error).toBeInstanceOf(OutcomeUnknownError);
        expect(end.error.cause).toBeInstanceOf(StorageIoError);
        expect([1, 1 + ROWS], `at call ${offset}`).toContain(rows.length);
      }
    }
    expect(ends["failed"]).toBeGreaterThan(0);
    expect(ends["unknown"]).toBeGreaterThan(0);
  });

  it("takes a full disk at COMMIT for a failure, and a failed flush for an unknown outcome", async () => {
    for (const kind of ["ENOSPC", "EIO"] as const) {
      const before = await begin();
      disk.failAt(before, kind, "persistent");
      const end = runShared(database, [step("statement", () => add(2))], nothing);
      expect(end.kind).toBe(kind === "ENOSPC" ? "failed" : "unknown");
      disk.clearFaults();
      if (end.kind === "failed")
        expect(runShared(database, [step("statement", () => add(3))], nothing).kind).toBe("committed");
      expect(await survivors()).toEqual(kind === "ENOSPC" ? [1, 3] : [1]);
    }
  });
});
