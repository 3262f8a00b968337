import { EngineError } from "../../../src/errors.ts";
import type { EngineHost } from "../../../src/contracts/platform.ts";
import type { OpenedDatabase, SqlEngineOptions } from "../../../src/contracts/sql-engine.ts";
import type { StorageLease } from "../../../src/contracts/storage-driver.ts";
import { checkContent, type ContentCheckOptions, inspectHeader } from "./inspect-file.ts";
import { checkSchema, migrate } from "./migrate.ts";
import { StorageFiles } from "./storage-files.ts";
import type { VfsSources } from "./vfs.ts";
import { WasmDatabase } from "./wasm-database.ts";
import { WasmEngine } from "./wasm-engine.ts";

/** How {@link openDatabase} opens. */
export interface OpenDatabaseOptions extends VfsSources, SqlEngineOptions, ContentCheckOptions {
  /** Pages in the log before it is written back. @defaultValue `1_000` */
  readonly walAutocheckpoint?: number;
  /** @defaultValue `"wal"`; anything else is for control tests */
  readonly journalMode?: "wal" | "delete";
}

/** A database that is open in our own engine. */
export interface OpenedWasmDatabase extends OpenedDatabase {
  readonly database: WasmDatabase;
}

const SYNCHRONOUS: Readonly<Record<SqlEngineOptions["synchronous"], string>> = {
  full: "full",
  relaxed: "normal",
  off: "off",
};
/** A log never stays larger than this after a checkpoint. */
const WAL_SIZE_LIMIT_BYTES = 67_108_864;

/**
 * Opens the database of a lease: refuses what is not ours or newer without having written a byte, recovers what a
 * crash left, migrates, and masks the header so that no other program opens the file meanwhile.
 *
 * After a throw the files are closed; the lease is still the caller's to release.
 */
export async function openDatabase(
  host: Pick<EngineHost, "loadEngine" | "text">,
  lease: StorageLease,
  options: OpenDatabaseOptions,
): Promise<OpenedWasmDatabase> {
  const engine = await WasmEngine.load(host);
  const files = new StorageFiles(lease);
  try {
    const header = inspectHeader(files, options.migrations);
    // Masked first: a crash after the renaming must not leave a file of ours that looks closed beside a log.
    if (header !== "empty") lease.adoptLogs?.(() => files.guard());
    if (header !== "sqlite") files.guardWrites();
    files.secureLog();
    const database = new WasmDatabase(engine, files, options);
    configure(database);
    checkContent(database, files, header, options);
    files.guard();
    journal(database, options);
    migrate(database, options.migrations);
    checkSchema(database, lease.path, options.migrations);
    return { database, recovered: header === "guarded" };
  } catch (error) {
    files.abandon();
    throw error;
  }
}

function configure(database: WasmDatabase): void {
  database.run("pragma page_size = 4096");
  database.get("pragma locking_mode = exclusive");
  database.run("pragma cell_size_check = on");
  database.run("pragma foreign_keys = off");
  database.run("pragma cache_size = -8192");
  database.run("pragma temp_store = memory");
}

function journal(database: WasmDatabase, options: OpenDatabaseOptions): void {
  const wanted = options.journalMode ?? "wal";
  const mode = database.get<{ journal_mode: string }>(`pragma journal_mode = ${wanted}`)?.journal_mode;
  if (mode !== wanted) throw new EngineError(`journal mode ${wanted} was refused in favour of ${mode}`);
  database.run(`pragma synchronous = ${SYNCHRONOUS[options.synchronous]}`);
  database.get(`pragma wal_autocheckpoint = ${options.walAutocheckpoint ?? 1_000}`);
  database.get(`pragma journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`);
}
