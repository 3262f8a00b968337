import type { SqlParameters, SqlRow } from "../../src/contracts/sql-database.ts";
import type { SqlDatabase } from "../../src/contracts/sql-engine.ts";
import type { StorageLease } from "../../src/contracts/storage-driver.ts";
import { ClosedError, EngineError, PayloadTooLargeError, StemError, StorageFullError } from "../../src/errors.ts";
import { toStemError } from "../sqlite/database/engine-errors.ts";
import { magicFor } from "../sqlite/database/header-guard.ts";
import { BEGIN, COMMIT, ROLLBACK } from "../sqlite/database/transaction.ts";
import type { SqlJsHandle, SqlJsLibrary } from "./sqljs-library.ts";
import { readImage } from "./sqljs-image.ts";
import { PreparedStatement } from "./sqljs-statement.ts";

/** Temporary data stay in memory, and a journal is needed for nothing but a rollback: what is stored is whole images. */
const SETTINGS = [
  "pragma page_size = 4096",
  "pragma journal_mode = memory",
  "pragma locking_mode = exclusive",
  "pragma temp_store = memory",
  "pragma cell_size_check = on",
  "pragma trusted_schema = off",
  "pragma foreign_keys = off",
];

/** Differs whenever something was written: rows, the schema, or the version. */
const STAMP = /* sql */ `
  select total_changes() as changes, schema_version as "schema", user_version as version
  from pragma_schema_version, pragma_user_version`;

const SIZE = /* sql */ `select page_count * page_size as bytes from pragma_page_count, pragma_page_size`;

/** A lease whose database can be replaced as a whole. */
export type SnapshotLease = StorageLease & Required<Pick<StorageLease, "replace">>;

/**
 * A database in the memory of sql.js. Each commit that wrote something stores the database as a whole through the
 * lease before it returns; a commit that could not be stored is not in memory either, or counts as a failed flush.
 */
export class SqlJsDatabase implements SqlDatabase {
  readonly #library: SqlJsLibrary;
  readonly #lease: SnapshotLease;
  readonly #statements = new Map<string, PreparedStatement>();
  #handle: SqlJsHandle | undefined;
  #inTransaction = false;
  #isOpening = true;
  #stored = "";
  #failedFlushes = 0;

  /** Opens a copy of `image`; an empty one is a new database. */
  constructor(library: SqlJsLibrary, lease: SnapshotLease, image: Uint8Array) {
    this.#library = library;
    this.#lease = lease;
    this.#load(image);
  }

  /** Ends the opening: until now nothing is stored, so that a new schema is stored with the first commit after it. */
  opened(): void {
    this.#isOpening = false;
  }

  run(sql: string, parameters?: SqlParameters): number {
    this.#execute(sql, parameters);
    return this.#open().getRowsModified();
  }

  get<Row extends object = SqlRow>(sql: string, parameters?: SqlParameters): Row | undefined {
    let found: SqlRow | undefined;
    this.#execute(sql, parameters, (row) => {
      found = row;
      return false;
    });
    return found as Row | undefined;
  }

  all<Row extends object = SqlRow>(sql: string, parameters?: SqlParameters): Row[] {
    const rows: SqlRow[] = [];
    this.#execute(sql, parameters, (row) => rows.push(row) > 0);
    return rows as Row[];
  }

  /** Asked for after faults only: sql.js has no call for it, and SQLite begins no second transaction. */
  get autocommit(): boolean {
    try {
      this.#statement(BEGIN).execute(undefined);
    } catch (error) {
      if (error instanceof EngineError) return false;
      throw error;
    }
    this.#statement(ROLLBACK).execute(undefined);
    this.#undone();
    return true;
  }

  get failedFlushes(): number {
    return this.#failedFlushes;
  }

  /** sql.js does not tell how much memory it has; the database is in there as a whole. */
  get size(): SqlDatabase["size"] {
    const bytes = this.get<{ bytes: number }>(SIZE)?.bytes ?? 0;
    return { bytes, logBytes: 0, memoryBytes: bytes };
  }

  /** As it is stored: a transaction that is under way cannot be exported. */
  copy(maxBytes: number): Uint8Array<ArrayBuffer> {
    const { bytes } = this.size;
    if (bytes > maxBytes) throw new PayloadTooLargeError("A copy in memory", maxBytes, bytes);
    return readImage(this.#lease);
  }

  /** What storage says is thrown as it is. */
  takeFault(): undefined {
    return undefined;
  }

  close(): void {
    this.#store(false);
    this.abandon();
  }

  abandon(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#statements.clear();
    handle?.close();
  }

  #execute(sql: string, parameters?: SqlParameters, onRow?: (row: SqlRow) => boolean): void {
    const statement = this.#statement(sql);
    statement.execute(parameters, onRow);
    if (sql === BEGIN) this.#inTransaction = true;
    else if (sql === COMMIT) this.#inTransaction = false;
    else if (sql === ROLLBACK) this.#undone();
    if (!this.#inTransaction && !this.#isOpening) this.#storeChanges();
  }

  /** What a transaction that was rolled back had changed is counted, and is nothing to store. */
  #undone(): void {
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    this.#stored = this.#stamp();
  }

  #statement(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = new PreparedStatement(this.#open().prepare(sql), sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #open(): SqlJsHandle {
    if (this.#handle === undefined) throw new ClosedError(`The database "${this.#lease.path}"`);
    return this.#handle;
  }

  #load(image: Uint8Array): void {
    this.abandon();
    const handle = new this.#library.Database(image.length === 0 ? null : image);
    translateErrors(handle, this.#lease.path);
    this.#handle = handle;
    for (const setting of SETTINGS) this.#statement(setting).execute(undefined);
    this.#inTransaction = false;
    this.#stored = this.#stamp();
  }

  #stamp(): string {
    let stamp = "";
    this.#statement(STAMP).execute(undefined, (row) => (stamp = JSON.stringify(row)) === "");
    return stamp;
  }

  #storeChanges(): void {
    const stamp = this.#stamp();
    if (stamp === this.#stored) return;
    try {
      this.#store(true);
      this.#stored = stamp;
    } catch (error) {
      // Storage that was full has the last commit still, and so has memory then; after any other fault nobody knows.
      if (!(error instanceof StorageFullError && this.#revert())) this.#failedFlushes += 1;
      throw error;
    }
  }

  #store(guarded: boolean): void {
    const image = this.#open().export();
    image.set(magicFor(guarded));
    this.#lease.replace(image);
  }

  /** Goes back to what is stored; `false` when that cannot be read, which leaves this database to be abandoned. */
  #revert(): boolean {
    try {
      this.#load(readImage(this.#lease));
      return true;
    } catch {
      return false;
    }
  }
}

/** Turns the result codes that sql.js meets into our errors; all that it throws otherwise is a fault of the engine. */
function translateErrors(handle: SqlJsHandle, path: string): void {
  const original = handle.handleError;
  handle.handleError = (code) => {
    try {
      return original.call(handle, code);
    } catch (error) {
      if (error instanceof StemError) throw error;
      throw toStemError(code, error instanceof Error ? error.message : String(error), path, undefined);
    }
  };
}
