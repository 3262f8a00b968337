import initSqlJs from "sql.js";
import { sqlJsEngine } from "../../../adapters/sqljs/index.ts";
import type { SqlEngine } from "../../../src/contracts/sql-engine.ts";
import { inMemory, onFiles, type SqlitePlace } from "../sqlite/open-sqlite.ts";

/** The engine of all tests of this process. */
export const sqlJs: SqlEngine = sqlJsEngine({ initSqlJs });

/** Memory, in sql.js. */
export function inMemoryOfSqlJs(): SqlitePlace {
  return { ...inMemory(), sqlEngine: sqlJs };
}

/** Files, in sql.js. */
export function onFilesOfSqlJs(): SqlitePlace {
  return { ...onFiles(), sqlEngine: sqlJs };
}
