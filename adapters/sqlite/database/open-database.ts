import {
  DatabaseCorruptError,
  DatabaseReplacedError,
  EngineError,
  NotAQueueDatabaseError,
} from "../../../src/errors.ts";
import type { EngineHost } from "../../../src/contracts/platform.ts";
import type { StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";
import type { Migration } from "../migrations/index.ts";
import type { HeaderKind } from "./header-guard.ts";
import { APPLICATION_ID, checkSchema, checkVersion, migrate, schemaVersion } from "./migrate.ts";
import { StorageFiles } from "./storage-files.ts";
import type { VfsSources } from "./vfs.ts";
import { WasmDatabase } from "./wasm-database.ts";
import { WasmEngine } from "./wasm-engine.ts";

/**
 * `full`: an acknowledged operation survives a power cut. `relaxed`: it survives the end of the process, but a power
 * cut may take the last ones with it. `off` is for control tests and corrupts.
 */
export type Synchronous = "full" | "relaxed" | "off";

/** How {@link openDatabase} opens. */
export interface OpenDatabaseOptions extends VfsSources {
  readonly synchronous: Synchronous;
  /** Pages in the log before it is written back. @defaultValue `1_000` */
  readonly walAutocheckpoint?: number;
  /** @defaultValue `"wal"`; anything else is for control tests */
  readonly journalMode?: "wal" | "delete";
  /** Whether a large file is checked in full as well, also when it was closed cleanly. @defaultValue `false` */
  readonly checkAll?: boolean;
  /** @defaultValue every migration of this release */
  readonly migrations?: readonly Migration[];
}

/** An open database and how it was found. */
export interface OpenedDatabase {
  readonly database: WasmDatabase;
  /** The last owner did not close it: it was killed, or the machine went down. */
  readonly recovered: boolean;
}

const SYNCHRONOUS: Readonly<Record<Synchronous, string>> = { full: "full", relaxed: "normal", off: "off" };
const SQLITE_HEADER_BYTES = 100;
const WRITE_VERSION_OFFSET = 18;
/** 1 for a journal, 2 for a log; SQLite opens a file with more, and then does not write to it. */
const NEWEST_WRITE_VERSION = 2;
const USER_VERSION_OFFSET = 60;
const APPLICATION_ID_OFFSET = 68;
/** Up to this size a file is checked in full at every open; a larger one only after a crash. */
const ALWAYS_CHECKED_BYTES = 4_194_304;
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
): Promise<OpenedDatabase> {
  const engine = await WasmEngine.load(host);
  const files = new StorageFiles(lease);
  try {
    const header = inspect(files, options.migrations);
    // Masked first: a crash after the renaming must not leave a file of ours that looks closed beside a log.
    if (header !== "empty") lease.adoptLogs?.(() => files.guard());
    if (header !== "sqlite") files.guard();
    files.secureLog();
    const database = new WasmDatabase(engine, files, options);
    configure(database);
    check(database, header, options);
    if (header === "sqlite") files.guard();
    journal(database, options);
    migrate(database, options.migrations);
    checkSchema(database, options.migrations);
    return { database, recovered: header === "guarded" };
  } catch (error) {
    files.abandon();
    throw error;
  }
}

/** Reads the raw header: everything that can be refused without SQLite is refused here. */
function inspect(files: StorageFiles, migrations: readonly Migration[] | undefined): HeaderKind {
  const { lease } = files;
  const kind = files.header();
  if (kind === "other") throw new NotAQueueDatabaseError(lease.path, "it does not start like a SQLite file");
  if (kind === "unfinished") {
    throw new NotAQueueDatabaseError(lease.path, "the import of a copy into it was not finished; import it again");
  }
  if (kind !== "sqlite") return kind;
  const bytes = new Uint8Array(SQLITE_HEADER_BYTES);
  if (files.open("db").read(bytes, 0) < SQLITE_HEADER_BYTES) {
    throw new DatabaseCorruptError(lease.path, "its header is cut short");
  }
  const header = new DataView(bytes.buffer);
  if (readApplicationId(files.open("db")) !== APPLICATION_ID) {
    throw new NotAQueueDatabaseError(lease.path, "it is a SQLite database of another application");
  }
  if (header.getUint8(WRITE_VERSION_OFFSET) > NEWEST_WRITE_VERSION) {
    throw new DatabaseCorruptError(lease.path, "its header asks for a way of writing that does not exist");
  }
  checkVersion(header.getUint32(USER_VERSION_OFFSET), lease.path, migrations);
  if (lease.exists("wal") || lease.exists("journal")) {
    throw new DatabaseReplacedError(lease.path, "was put in the place of another file whose log is still there");
  }
  return kind;
}

/** SQLite's `application_id` in a file that starts like one; 0 when the file ends before it. */
export function readApplicationId(file: SyncFile): number {
  const bytes = new Uint8Array(4);
  return file.read(bytes, APPLICATION_ID_OFFSET) < 4 ? 0 : new DataView(bytes.buffer).getUint32(0);
}

function configure(database: WasmDatabase): void {
  database.run("pragma page_size = 4096");
  database.get("pragma locking_mode = exclusive");
  database.run("pragma cell_size_check = on");
  database.run("pragma foreign_keys = off");
  database.run("pragma cache_size = -8192");
  database.run("pragma temp_store = memory");
}

/** Checks by reading only; SQLite has recovered what a crash left by then. */
function check(
  database: WasmDatabase,
  header: HeaderKind,
  { migrations, checkAll = false }: Pick<OpenDatabaseOptions, "migrations" | "checkAll">,
): void {
  const { lease } = database.files;
  if (header === "empty" && !lease.exists("wal") && !lease.exists("journal")) return;
  const version = schemaVersion(database);
  checkVersion(version, lease.path, migrations);
  if (checkAll || header !== "sqlite" || database.files.open("db").size() <= ALWAYS_CHECKED_BYTES) quickCheck(database);
  checkSchema(database, migrations);
}

function quickCheck(database: WasmDatabase): void {
  database.takeFault();
  const finding = database.get<{ quick_check: string }>("pragma quick_check(1)")?.quick_check;
  // A page that could not be read is no damage: the next try may succeed.
  const fault = database.takeFault();
  if (fault !== undefined) throw fault;
  if (finding !== "ok") throw new DatabaseCorruptError(database.files.lease.path, String(finding));
}

function journal(database: WasmDatabase, options: OpenDatabaseOptions): void {
  const wanted = options.journalMode ?? "wal";
  const mode = database.get<{ journal_mode: string }>(`pragma journal_mode = ${wanted}`)?.journal_mode;
  if (mode !== wanted) throw new EngineError(`journal mode ${wanted} was refused in favour of ${mode}`);
  database.run(`pragma synchronous = ${SYNCHRONOUS[options.synchronous]}`);
  database.get(`pragma wal_autocheckpoint = ${options.walAutocheckpoint ?? 1_000}`);
  database.get(`pragma journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`);
}
