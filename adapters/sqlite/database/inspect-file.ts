import { DatabaseCorruptError, DatabaseReplacedError, NotAQueueDatabaseError } from "../../../src/errors.ts";
import type { SqlDatabase } from "../../../src/contracts/sql-engine.ts";
import type { SyncFile } from "../../../src/contracts/storage-driver.ts";
import type { Migration } from "../migrations/index.ts";
import type { HeaderKind } from "./header-guard.ts";
import { APPLICATION_ID, checkSchema, checkVersion, schemaVersion } from "./migrate.ts";
import type { StorageFiles } from "./storage-files.ts";

const SQLITE_HEADER_BYTES = 100;
const WRITE_VERSION_OFFSET = 18;
/** 1 for a journal, 2 for a log; SQLite opens a file with more, and then does not write to it. */
const NEWEST_WRITE_VERSION = 2;
const USER_VERSION_OFFSET = 60;
const APPLICATION_ID_OFFSET = 68;
/** Up to this size a file is checked in full at every open; a larger one only after a crash. */
const ALWAYS_CHECKED_BYTES = 4_194_304;

/** Reads the raw header: everything that can be refused without SQLite is refused here. */
export function inspectHeader(files: StorageFiles, migrations?: readonly Migration[]): HeaderKind {
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

/** How much {@link checkContent} checks. */
export interface ContentCheckOptions {
  /** Whether a large file is checked in full as well, also when it was closed cleanly. @defaultValue `false` */
  readonly checkAll?: boolean;
  /** @defaultValue every migration of this release */
  readonly migrations?: readonly Migration[];
}

/** Checks an open database by reading only; SQLite has recovered what a crash left by then. */
export function checkContent(
  database: SqlDatabase,
  files: StorageFiles,
  header: HeaderKind,
  { migrations, checkAll = false }: ContentCheckOptions = {},
): void {
  const { lease } = files;
  if (header === "empty" && !lease.exists("wal") && !lease.exists("journal")) return;
  const version = schemaVersion(database);
  checkVersion(version, lease.path, migrations);
  if (checkAll || header !== "sqlite" || files.open("db").size() <= ALWAYS_CHECKED_BYTES)
    quickCheck(database, lease.path);
  checkSchema(database, lease.path, migrations);
}

function quickCheck(database: SqlDatabase, path: string): void {
  database.takeFault();
  const finding = database.get<{ quick_check: string }>("pragma quick_check(1)")?.quick_check;
  // A page that could not be read is no damage: the next try may succeed.
  const fault = database.takeFault();
  if (fault !== undefined) throw fault;
  if (finding !== "ok") throw new DatabaseCorruptError(path, String(finding));
}
