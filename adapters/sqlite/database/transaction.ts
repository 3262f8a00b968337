import { EngineError, OutcomeUnknownError, StemError, StorageFullError } from "../../../src/errors.ts";
import type { SqlDatabase } from "../../../src/contracts/sql-engine.ts";

/** The statements that begin and end transactions; an engine may have to know them. */
export const BEGIN = "begin immediate";
export const COMMIT = "commit";
export const ROLLBACK = "rollback";
const SAVEPOINT = "savepoint step";
const RELEASE = "release step";
const ROLLBACK_TO = "rollback to step";

/**
 * One unit of a shared transaction. `statement`: a single statement that writes, which SQLite undoes by itself when it
 * fails. `steps`: several, which need a savepoint. `read`: writes nothing.
 */
export interface TransactionStep {
  readonly kind: "read" | "statement" | "steps";
  /** Does the work; a throw undoes this unit and no other. */
  run(): void;
  /** Called with the error of `run`. */
  fail(error: unknown): void;
}

/** How a shared transaction ended. After `failed` nothing of it is there; after `unknown`, all or nothing is. */
export type TransactionEnd =
  | { readonly kind: "committed" }
  | { readonly kind: "failed"; readonly error: StemError }
  | { readonly kind: "unknown"; readonly error: StemError };

/**
 * Runs all `steps` in one transaction, each isolated from the failure of the others, and commits them together. The
 * only place besides {@link inTransaction} that begins or commits.
 *
 * `beforeCommit` runs last inside the transaction; a throw there fails everything. After `unknown` the database must
 * be abandoned: what is in its cache may not be what is on disk.
 */
export function runShared(
  database: SqlDatabase,
  steps: readonly TransactionStep[],
  beforeCommit: () => void,
): TransactionEnd {
  const flushFaults = database.failedFlushes;
  let committing = false;
  try {
    database.run(BEGIN);
    for (const step of steps) runStep(database, step);
    beforeCommit();
    committing = true;
    database.run(COMMIT);
    return { kind: "committed" };
  } catch (error) {
    const fault = error instanceof StemError ? error : new EngineError("a step threw", { cause: error });
    const rolledBack = rollBack(database);
    // A log that could not take the commit record holds no commit; any other fault at COMMIT may have come after it.
    const surelyNotApplied =
      !committing || (fault instanceof StorageFullError && database.failedFlushes === flushFaults);
    if (surelyNotApplied && rolledBack) return { kind: "failed", error: fault };
    return { kind: "unknown", error: new OutcomeUnknownError("the transaction", fault) };
  }
}

/** Runs `work` in a transaction of its own and returns its value; a throw undoes everything. */
export function inTransaction<T>(database: SqlDatabase, work: () => T): T {
  database.run(BEGIN);
  try {
    const value = work();
    database.run(COMMIT);
    return value;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function runStep(database: SqlDatabase, step: TransactionStep): void {
  if (step.kind === "steps") database.run(SAVEPOINT);
  try {
    step.run();
  } catch (error) {
    // SQLite ended the whole transaction: nothing before this step is there any more either.
    if (database.autocommit) throw error;
    if (step.kind === "steps") database.run(ROLLBACK_TO);
    step.fail(error);
  }
  if (step.kind === "steps") database.run(RELEASE);
}

/** Whether no transaction is left open. */
function rollBack(database: SqlDatabase): boolean {
  try {
    if (!database.autocommit) database.run(ROLLBACK);
    return database.autocommit;
  } catch {
    // A rollback that fails leaves the database to be abandoned, which is what the caller does then.
    return false;
  }
}
