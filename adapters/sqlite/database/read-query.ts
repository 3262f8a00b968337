import type { SqlParameters, SqlValue } from "../../../src/contracts/sql-database.ts";
import { QueryError, QueryLimitError } from "../../../src/error-database.ts";
import { StemError } from "../../../src/errors.ts";
import type { ReadGuard, ReadLimits } from "./read-guard.ts";
import { SQLITE } from "./result-codes.ts";
import { type BindArena, Statement } from "./statement.ts";
import type { WasmEngine } from "./wasm-engine.ts";

/** A statement of somebody else's, and what it may cost. */
export interface ReadQuery extends ReadLimits {
  readonly sql: string;
  readonly parameters: SqlParameters;
  readonly maxRows: number;
  /** Of all values of the answer together. */
  readonly maxAnswerBytes: number;
}

/** Rows in the order of `columns`; `truncated` when there were more than the query was allowed. */
export interface QueryAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
  readonly truncated: boolean;
}

/** The parts of an open database that a query needs. */
export interface ReadQueryParts {
  readonly engine: WasmEngine;
  readonly database: number;
  readonly arena: BindArena;
  readonly guard: ReadGuard;
  /** The typed error for one of SQLite's result codes. */
  readonly toError: (code: number) => Error;
}

/** What is wrong with the statement, or with the values it meets; everything else is a fault of the database. */
const QUERY_CODES: ReadonlySet<number> = new Set([SQLITE.ERROR, SQLITE.MISMATCH, SQLITE.AUTH, SQLITE.RANGE]);
/** What a value takes in an answer besides its bytes. */
const VALUE_BYTES = 8;
const NOT_A_READER = "only one statement that reads is allowed, and";

/** Runs one statement that only reads, which is prepared for this once. A transaction around it goes on after a throw. */
export function runQuery(parts: ReadQueryParts, query: ReadQuery): QueryAnswer {
  return parts.guard.during(query, () => {
    const statement = prepareOnly(parts, query);
    try {
      return collect(parts, statement, query);
    } finally {
      statement.finalize();
    }
  });
}

function collect(parts: ReadQueryParts, statement: Statement, query: ReadQuery): QueryAnswer {
  const { columns } = statement;
  const parameters = matchParameters(statement.parameters, query.parameters);
  const rows: (readonly SqlValue[])[] = [];
  let left = query.maxAnswerBytes;
  let truncated = false;
  const code = statement.scan(parameters, (row) => {
    left -= row.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (left < 0 && rows.length === 0) throw new QueryLimitError("bytes for one row", query.maxAnswerBytes);
    truncated = left < 0 || rows.length === query.maxRows;
    if (!truncated) rows.push(row);
    return !truncated;
  });
  if (code !== SQLITE.DONE) throw toQueryError(parts, query, code);
  return { columns, rows, truncated };
}

function sizeOf(value: SqlValue): number {
  return VALUE_BYTES + (typeof value === "string" || value instanceof Uint8Array ? value.length : 0);
}

/** Every parameter has a name and a value, and every value a parameter. */
function matchParameters(names: readonly string[], given: SqlParameters): SqlParameters {
  const known = new Set(names);
  if (known.has("")) throw new QueryError("its parameters have no names; write :name");
  const missing = names.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) throw new QueryError(`parameter :${missing} is not given`);
  const unused = Object.keys(given).find((name) => !known.has(name));
  if (unused !== undefined) throw new QueryError(`it has no parameter :${unused}`);
  return given;
}

function prepareOnly(parts: ReadQueryParts, query: ReadQuery): Statement {
  const { engine, arena } = parts;
  const text = engine.allocateText(query.sql);
  const pointers: number[] = [];
  try {
    let at = text;
    // What follows a statement may be blank or a comment, which SQLite prepares to nothing.
    while (engine.bytes[at] !== 0) {
      const { pointer, next } = prepareAt(parts, query, at);
      if (pointer !== 0) pointers.push(pointer);
      if (pointers.length > 1) throw new QueryError(`${NOT_A_READER} there are several`);
      at = next;
    }
    const [pointer] = pointers;
    if (pointer === undefined) throw new QueryError("it holds no statement");
    return new Statement(engine, arena, pointer);
  } catch (error) {
    for (const pointer of pointers) engine.exports.sqlite3_finalize(pointer);
    throw error;
  } finally {
    engine.exports.sqlite3_free(text);
  }
}

function prepareAt(parts: ReadQueryParts, query: ReadQuery, at: number): { pointer: number; next: number } {
  const { engine, database } = parts;
  const out = engine.allocate(8);
  try {
    const code = engine.exports.sqlite3_prepare_v3(database, at, -1, 0, out, out + 4);
    if (code !== SQLITE.OK) throw toQueryError(parts, query, code);
    const pointer = engine.view.getUint32(out, true);
    if (pointer !== 0 && engine.exports.sqlite3_stmt_readonly(pointer) === 0) {
      engine.exports.sqlite3_finalize(pointer);
      throw new QueryError(`${NOT_A_READER} it writes`);
    }
    return { pointer, next: engine.view.getUint32(out + 4, true) };
  } finally {
    engine.exports.sqlite3_free(out);
  }
}

function toQueryError({ guard, toError, engine, database }: ReadQueryParts, query: ReadQuery, code: number): Error {
  const { reached, denied } = guard;
  const kind = code & 0xff;
  if ((kind === SQLITE.INTERRUPT || kind === SQLITE.NOMEM) && reached !== undefined)
    return new QueryLimitError(reached.what, reached.limit);
  if (kind === SQLITE.TOOBIG) return new QueryLimitError("bytes for one value", query.maxValueBytes);
  if (denied !== undefined && kind !== SQLITE.NOMEM) return new QueryError(`${NOT_A_READER} ${denied}`);
  const message = engine.readText(engine.exports.sqlite3_errmsg(database));
  const error = toError(code);
  return QUERY_CODES.has(kind) && error instanceof StemError ? new QueryError(message) : error;
}
