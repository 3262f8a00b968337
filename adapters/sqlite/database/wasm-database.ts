import type { SqlParameters, SqlRow } from "../../../src/contracts/sql-database.ts";
import type { SqlDatabase } from "../../../src/contracts/sql-engine.ts";
import { copyPages } from "./copy-pages.ts";
import { toStemError } from "./engine-errors.ts";
import { ReadGuard } from "./read-guard.ts";
import { type QueryAnswer, type ReadQuery, runQuery } from "./read-query.ts";
import { OPEN, SQLITE } from "./result-codes.ts";
import { type BindArena, Statement } from "./statement.ts";
import type { StorageFiles } from "./storage-files.ts";
import { StorageVfs, type VfsSources } from "./vfs.ts";
import type { WasmEngine } from "./wasm-engine.ts";

const ARENA_BYTES = 131_072;
const PERSISTENT_STATEMENT = 1;
const DB_CONFIG_DEFENSIVE = 1010;
const DB_CONFIG_TRUSTED_SCHEMA = 1017;
const LIMIT_ATTACHED = 7;

/**
 * One open SQLite database on one lease. Translates every result code into a typed error; knows no table.
 *
 * The caller owns transactions (`transaction.ts`) and the schema.
 */
export class WasmDatabase implements SqlDatabase {
  readonly files: StorageFiles;
  readonly #engine: WasmEngine;
  readonly #vfs: StorageVfs;
  readonly #monotonic: () => number;
  readonly #pointer: number;
  readonly #arena: BindArena;
  readonly #out: number;
  readonly #statements = new Map<string, Statement>();
  #guard: ReadGuard | undefined;

  /** Opens the database file of `files` in `engine`, which must hold no other database. */
  constructor(engine: WasmEngine, files: StorageFiles, sources: VfsSources) {
    const { exports } = engine;
    this.files = files;
    this.#engine = engine;
    this.#monotonic = sources.monotonic ?? sources.now;
    this.#vfs = new StorageVfs(engine, files, sources);
    this.#vfs.register();
    this.#arena = { pointer: engine.allocate(ARENA_BYTES), bytes: ARENA_BYTES };
    this.#out = engine.allocate(8);
    const name = engine.allocateText("stem");
    const code = exports.sqlite3_open_v2(name, this.#out, OPEN.READWRITE | OPEN.CREATE, 0);
    exports.sqlite3_free(name);
    this.#pointer = engine.view.getUint32(this.#out, true);
    if (code !== SQLITE.OK) throw this.#error(code);
    exports.sqlite3_extended_result_codes(this.#pointer, 1);
    exports.sqlite3__wasm_db_config_ip(this.#pointer, DB_CONFIG_DEFENSIVE, 1, 0);
    exports.sqlite3__wasm_db_config_ip(this.#pointer, DB_CONFIG_TRUSTED_SCHEMA, 0, 0);
    exports.sqlite3_limit(this.#pointer, LIMIT_ATTACHED, 0);
  }

  run(sql: string, parameters?: SqlParameters): number {
    this.#execute(sql, parameters);
    return this.#engine.exports.sqlite3_changes(this.#pointer);
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

  /**
   * Runs one statement that this library did not write and that only reads; a transaction that is under way goes on,
   * whatever comes of it. Throws `QueryError` and `QueryLimitError`.
   */
  query(query: ReadQuery): QueryAnswer {
    const [engine, database] = [this.#engine, this.#pointer];
    const guard = (this.#guard ??= new ReadGuard(engine, database, this.#monotonic));
    return runQuery({ engine, database, arena: this.#arena, guard, toError: (code) => this.#error(code) }, query);
  }

  /**
   * The whole database as it is now, in a form that every SQLite program opens: with what the transaction that is under
   * way has done, without a log, and with an ordinary header. Throws `PayloadTooLargeError` above `maxBytes`.
   */
  copy(maxBytes: number): Uint8Array<ArrayBuffer> {
    return copyPages(this, maxBytes);
  }

  /** Whether no transaction is under way; SQLite ends one by itself after some faults. */
  get autocommit(): boolean {
    return this.#engine.exports.sqlite3_get_autocommit(this.#pointer) !== 0;
  }

  /** Rows changed since the database was opened: tells whether a transaction has anything to commit. */
  get totalChanges(): number {
    return this.#engine.exports.sqlite3_total_changes(this.#pointer);
  }

  /** Flushes that have failed since the database was opened. */
  get failedFlushes(): number {
    return this.#vfs.failedFlushes;
  }

  /** The storage error that SQLite met since the last one was taken, once: where it reports in words what went wrong. */
  takeFault(): unknown {
    return this.#vfs.takeFault();
  }

  get size(): SqlDatabase["size"] {
    const { files, memoryBytes } = this;
    // Opening a file that is not there would make it.
    const logBytes = files.lease.exists("wal") ? files.open("wal").size() : 0;
    return { bytes: files.open("db").size(), logBytes, memoryBytes };
  }

  /** Size of the engine's memory in bytes. */
  get memoryBytes(): number {
    return this.#engine.memoryBytes;
  }

  /** Checkpoints, removes the log, and gives the file back to other programs. */
  close(): void {
    this.files.restoreOnClose();
    this.#finalizeAll();
    this.#vfs.takeFault();
    const code = this.#engine.exports.sqlite3_close_v2(this.#pointer);
    const fault = this.#vfs.takeFault();
    if (fault !== undefined) throw fault;
    if (code !== SQLITE.OK) throw this.#error(code);
  }

  /** Lets go of the files as a crash would: nothing more is written, the next open recovers. */
  abandon(): void {
    this.files.abandon();
  }

  #finalizeAll(): void {
    for (const statement of this.#statements.values()) statement.finalize();
    this.#statements.clear();
  }

  #execute(sql: string, parameters?: SqlParameters, onRow?: (row: SqlRow) => boolean): void {
    const code = (this.#statements.get(sql) ?? this.#prepare(sql)).execute(parameters, onRow);
    if (code !== SQLITE.DONE && code !== SQLITE.ROW) throw this.#error(code);
  }

  #prepare(sql: string): Statement {
    const engine = this.#engine;
    const text = engine.allocateText(sql);
    const { exports } = engine;
    const code = exports.sqlite3_prepare_v3(this.#pointer, text, -1, PERSISTENT_STATEMENT, this.#out, 0);
    exports.sqlite3_free(text);
    if (code !== SQLITE.OK) throw this.#error(code);
    const statement = new Statement(engine, this.#arena, engine.view.getUint32(this.#out, true));
    this.#statements.set(sql, statement);
    return statement;
  }

  #error(code: number): Error {
    const message = this.#engine.readText(this.#engine.exports.sqlite3_errmsg(this.#pointer));
    return toStemError(code, message, this.files.lease.path, this.#vfs.takeFault());
  }
}
