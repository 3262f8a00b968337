import type { SqlParameters, SqlRow, SqlValue } from "../../src/contracts/sql-database.ts";
import { EngineError } from "../../src/errors.ts";
import type { SqlJsStatement } from "./sqljs-library.ts";

/** What may hold something that looks like a parameter and is none. */
const QUOTED_OR_COMMENT = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g;
const PARAMETER = /[:@$](\w+)/g;
const BYTE_ORDER_MARK = "\ufeff";
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** One prepared statement of sql.js, by the value rules of our own engine. Every run binds all parameters and resets. */
export class PreparedStatement {
  readonly #statement: SqlJsStatement;
  /** By name, what sql.js calls each parameter: with its first letter. */
  readonly #parameters: ReadonlyMap<string, string>;
  #columns: readonly string[] | undefined;

  constructor(statement: SqlJsStatement, sql: string) {
    this.#statement = statement;
    const found = sql.replaceAll(QUOTED_OR_COMMENT, " ").matchAll(PARAMETER);
    this.#parameters = new Map(Array.from(found, ([full, name = ""]) => [name, full]));
  }

  /** Steps to the end, giving each row to `onRow` until it returns false. */
  execute(parameters: SqlParameters | undefined, onRow?: (row: SqlRow) => boolean): void {
    const statement = this.#statement;
    if (this.#parameters.size > 0) statement.bind(this.#values(parameters ?? {}));
    try {
      while (statement.step()) if (onRow?.(this.#row()) === false) return;
    } finally {
      statement.reset();
    }
  }

  #values(parameters: SqlParameters): Record<string, SqlValue> {
    const values: Record<string, SqlValue> = {};
    for (const [name, full] of this.#parameters) values[full] = toStored(parameters[name], name);
    return values;
  }

  #row(): SqlRow {
    const row: SqlRow = {};
    const values = this.#statement.get();
    // Known only once there is a row: a change of the schema may have changed them.
    this.#columns ??= this.#statement.getColumnNames();
    for (const [at, name] of this.#columns.entries()) row[name] = values[at] ?? null;
    return row;
  }
}

/**
 * Integers beyond 32 bits are bound as a double, which holds them exactly; a column of integers stores an integer.
 * What UTF-8 has no form for becomes the replacement character, as everywhere else.
 */
function toStored(value: SqlValue | undefined, name: string): SqlValue {
  if (value === null || value instanceof Uint8Array || (typeof value === "number" && Number.isFinite(value))) {
    return value;
  }
  if (typeof value === "string") {
    // Reading it back would drop the mark without a word. No text of this library begins with one.
    if (value.startsWith(BYTE_ORDER_MARK)) throw new EngineError(`parameter :${name} begins with a byte order mark`);
    return value.replaceAll(LONE_SURROGATE, "\ufffd");
  }
  throw new EngineError(`parameter :${name} has no SQL form`);
}
