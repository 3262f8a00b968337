import type { OpenedDatabase, SqlEngine, SqlEngineOptions } from "../../src/contracts/sql-engine.ts";
import type { StorageLease } from "../../src/contracts/storage-driver.ts";
import { mergeOptions } from "../../src/core/options.ts";
import { InvalidOptionError, UnsupportedEnvironmentError } from "../../src/errors.ts";
import type { HeaderKind } from "../sqlite/database/header-guard.ts";
import { checkContent, inspectHeader } from "../sqlite/database/inspect-file.ts";
import { checkSchema, migrate } from "../sqlite/database/migrate.ts";
import { StorageFiles } from "../sqlite/database/storage-files.ts";
import { SqlJsDatabase, type SnapshotLease } from "./sqljs-database.ts";
import { readImage } from "./sqljs-image.ts";
import { libraryLoader, type SqlJsEngineOptions, type SqlJsLibrary } from "./sqljs-library.ts";

const NAME = "sql.js";
const DEFAULTS = {
  initSqlJs: undefined as (() => Promise<SqlJsLibrary>) | undefined,
  sqlJs: undefined as SqlJsLibrary | undefined,
};

/**
 * Databases in sql.js: for places where the package's own engine or its worker cannot be loaded. Pass it as
 * `sqlEngine`; an engine that several databases are to share is made once.
 *
 * An open database is in memory as a whole, and each commit stores it as a whole (in IndexedDB, the pages that changed), so
 * that it is meant for small ones. It works on every storage driver with `StorageLease.replace`: memory, files on
 * Node, IndexedDB. `durability: "relaxed"` changes nothing.
 *
 * Files are those of our own engine. One that a crash left with a log is refused with `UnsupportedEnvironmentError`.
 */
export function sqlJsEngine(options: SqlJsEngineOptions): SqlEngine {
  const source = mergeOptions(DEFAULTS, options);
  if (typeof source.initSqlJs !== "function" && source.initSqlJs !== undefined) {
    throw new InvalidOptionError("initSqlJs", source.initSqlJs, "a function");
  }
  if ((source.initSqlJs === undefined) === (source.sqlJs === undefined)) {
    throw new InvalidOptionError("initSqlJs", source.initSqlJs, "given, or sqlJs, and not both");
  }
  const load = libraryLoader(source as SqlJsEngineOptions);
  return Object.freeze<SqlEngine>({
    name: NAME,
    prepare: async () => void (await load()),
    open: async (lease, how) => openIn(await load(), lease, how),
  });
}

function openIn(library: SqlJsLibrary, lease: StorageLease, _options: SqlEngineOptions): OpenedDatabase {
  if (!canReplace(lease)) {
    throw new UnsupportedEnvironmentError(`a storage for sql.js: that of "${lease.path}" cannot replace a whole file`);
  }
  const files = new StorageFiles(lease);
  let database: SqlJsDatabase | undefined;
  try {
    const header = inspect(files);
    database = new SqlJsDatabase(library, lease, readImage(lease));
    checkContent(database, files, header);
    migrate(database);
    checkSchema(database, lease.path);
    database.opened();
    return { database, recovered: header === "guarded" };
  } catch (error) {
    database?.abandon();
    throw error;
  } finally {
    files.abandon();
  }
}

/** Refuses what cannot be read without SQLite having to recover it. */
function inspect(files: StorageFiles): HeaderKind {
  const { lease } = files;
  const header = inspectHeader(files);
  const refuse = (): never => {
    throw new UnsupportedEnvironmentError(
      `an engine that can recover "${lease.path}" from the log that a crash left: sql.js cannot; open it once without it`,
    );
  };
  if (lease.exists("wal") || lease.exists("journal")) refuse();
  if (header !== "empty") lease.adoptLogs?.(refuse);
  return header;
}

function canReplace(lease: StorageLease): lease is SnapshotLease {
  return lease.replace !== undefined;
}
