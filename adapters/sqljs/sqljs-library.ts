import type { SqlValue } from "../../src/contracts/sql-database.ts";
import { InvalidOptionError, UnsupportedEnvironmentError } from "../../src/errors.ts";

/** What is used of a prepared statement of sql.js. */
export interface SqlJsStatement {
  bind(values: Record<string, SqlValue>): boolean;
  step(): boolean;
  get(): SqlValue[];
  getColumnNames(): string[];
  reset(): void;
}

/** What is used of a database of sql.js. */
export interface SqlJsHandle {
  prepare(sql: string): SqlJsStatement;
  export(): Uint8Array;
  close(): void;
  getRowsModified(): number;
  /** Called by sql.js with each result code; throws unless it is 0. */
  handleError: (code: number) => null;
}

/** What is used of sql.js; the `SqlJsStatic` of its types is one. */
export interface SqlJsLibrary {
  readonly Database: new (data?: Uint8Array | null) => SqlJsHandle;
}

/** Where sql.js comes from: the package itself never imports it. Exactly one of both. */
export interface SqlJsEngineOptions {
  /** The default export of `sql.js`, or a function that calls it with settings such as `locateFile`. */
  readonly initSqlJs?: () => Promise<SqlJsLibrary>;
  /** What that resolved to. */
  readonly sqlJs?: SqlJsLibrary;
}

/** Returns a function that loads sql.js once, and again after a failure. */
export function libraryLoader(options: SqlJsEngineOptions): () => Promise<SqlJsLibrary> {
  const { initSqlJs, sqlJs } = options;
  let loading: Promise<SqlJsLibrary> | undefined;
  return () => {
    if (loading === undefined) {
      const loaded = load(sqlJs ?? initSqlJs?.());
      loaded.catch(() => (loading = undefined));
      loading = loaded;
    }
    return loading;
  };
}

async function load(source: SqlJsLibrary | Promise<SqlJsLibrary> | undefined): Promise<SqlJsLibrary> {
  const library = (await source) as Partial<SqlJsLibrary> | null | undefined;
  if (typeof library?.Database !== "function") {
    throw new InvalidOptionError("initSqlJs", library, "what resolves to sql.js, with a class Database");
  }
  const found = library as SqlJsLibrary;
  if (!keepsItsWord(found)) throw new UnsupportedEnvironmentError("sql.js 1.16 or a later 1.x");
  return found;
}

/**
 * Whether this sql.js is one that can be relied on. Before 1.16 `export` closed the database and opened it again, so
 * that all statements were lost; and the result codes come through a method that has to be there.
 */
function keepsItsWord({ Database }: SqlJsLibrary): boolean {
  const database = new Database();
  const codes: number[] = [];
  const original = database.handleError;
  if (typeof original !== "function") return false;
  database.handleError = (code) => {
    codes.push(code);
    return original.call(database, code);
  };
  try {
    const statement = database.prepare("select 1");
    database.export();
    if (!statement.step()) return false;
    statement.reset();
    database.prepare("no statement");
    return false;
  } catch {
    // The statement that is none was refused; the code of it is what counts.
    return codes.includes(1);
  } finally {
    database.close();
  }
}
