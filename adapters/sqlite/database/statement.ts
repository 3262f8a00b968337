import { QueryError } from "../../../src/error-database.ts";
import { EngineError } from "../../../src/errors.ts";
import type { SqlParameters, SqlRow, SqlValue } from "../../../src/contracts/sql-database.ts";
import { SQLITE } from "./result-codes.ts";
import type { WasmEngine } from "./wasm-engine.ts";

/** Where bound text is put: valid until the statement is reset, which is before the next one binds. */
export interface BindArena {
  readonly pointer: number;
  readonly bytes: number;
}

const STATIC = 0;
const TRANSIENT = -1;
const TYPE = { INTEGER: 1, FLOAT: 2, TEXT: 3, BLOB: 4 } as const;

/**
 * One prepared statement on the raw exports: no wrapper calls, no allocation for text that fits the arena. Every
 * run binds all parameters, steps to the end and resets, so that no statement is ever left open.
 */
export class Statement {
  readonly #engine: WasmEngine;
  readonly #arena: BindArena;
  readonly #pointer: number;
  readonly #parameters: readonly string[];
  readonly #columns: readonly string[];

  constructor(engine: WasmEngine, arena: BindArena, pointer: number) {
    const { exports } = engine;
    this.#engine = engine;
    this.#arena = arena;
    this.#pointer = pointer;
    this.#parameters = Array.from({ length: exports.sqlite3_bind_parameter_count(pointer) }, (_, index) =>
      engine.readText(exports.sqlite3_bind_parameter_name(pointer, index + 1)).slice(1),
    );
    this.#columns = Array.from({ length: exports.sqlite3_column_count(pointer) }, (_, index) =>
      engine.readText(exports.sqlite3_column_name(pointer, index)),
    );
  }

  /** Steps to the end, giving each row to `onRow` until it returns false. Returns SQLite's final result code. */
  execute(parameters: SqlParameters | undefined, onRow?: (row: SqlRow) => boolean): number {
    const { exports } = this.#engine;
    let code: number = SQLITE.OK;
    try {
      if (this.#parameters.length > 0) code = this.#bindAll(parameters ?? {});
      if (code !== SQLITE.OK) return code;
      code = exports.sqlite3_step(this.#pointer);
      while (code === SQLITE.ROW) {
        if (onRow !== undefined && !onRow(this.#row())) return SQLITE.DONE;
        code = exports.sqlite3_step(this.#pointer);
      }
      return code;
    } finally {
      exports.sqlite3_reset(this.#pointer);
    }
  }

  /** The names of its parameters, without the sign before them; empty for one that has none. */
  get parameters(): readonly string[] {
    return this.#parameters;
  }

  get columns(): readonly string[] {
    return this.#columns;
  }

  /**
   * As {@link Statement.execute}, for statements that this library did not write: two columns may have one name, and an
   * integer that a number cannot hold exactly is a `QueryError`.
   */
  scan(parameters: SqlParameters, onRow: (row: readonly SqlValue[]) => boolean): number {
    const { exports } = this.#engine;
    try {
      let code = this.#bindAll(parameters);
      if (code !== SQLITE.OK) return code;
      code = exports.sqlite3_step(this.#pointer);
      while (code === SQLITE.ROW) {
        if (!onRow(this.#columns.map((_, column) => this.#exactValue(column)))) return SQLITE.DONE;
        code = exports.sqlite3_step(this.#pointer);
      }
      return code;
    } finally {
      exports.sqlite3_reset(this.#pointer);
    }
  }

  finalize(): void {
    this.#engine.exports.sqlite3_finalize(this.#pointer);
  }

  #bindAll(parameters: SqlParameters): number {
    let used = 0;
    for (let index = 0; index < this.#parameters.length; index += 1) {
      const name = this.#parameters[index] as string;
      const value = parameters[name];
      if (typeof value === "string") {
        const room = value.length * 3;
        if (used + room <= this.#arena.bytes) {
          used += this.#bindInArena(index + 1, value, used);
          continue;
        }
      }
      const code = this.#bind(index + 1, name, value);
      if (code !== SQLITE.OK) return code;
    }
    return SQLITE.OK;
  }

  #bindInArena(index: number, text: string, offset: number): number {
    const engine = this.#engine;
    const at = this.#arena.pointer + offset;
    const { bytes } = engine;
    const length = writeShortAscii(text, bytes, at) ? text.length : engine.text.write(text, bytes, at);
    engine.exports.sqlite3_bind_text(this.#pointer, index, at, length, STATIC);
    return length;
  }

  #bind(index: number, name: string, value: SqlValue | undefined): number {
    const { exports } = this.#engine;
    if (value === null) return exports.sqlite3_bind_null(this.#pointer, index);
    if (typeof value === "number") {
      if ((value | 0) === value && !Object.is(value, -0)) return exports.sqlite3_bind_int(this.#pointer, index, value);
      if (Number.isSafeInteger(value)) return exports.sqlite3_bind_int64(this.#pointer, index, BigInt(value));
      if (Number.isFinite(value)) return exports.sqlite3_bind_double(this.#pointer, index, value);
    }
    if (typeof value === "string") return this.#bindCopied(index, value);
    if (value instanceof Uint8Array) return this.#bindBlob(index, value);
    throw new EngineError(`parameter :${name} has no SQL form`);
  }

  #bindCopied(index: number, text: string): number {
    const engine = this.#engine;
    const pointer = engine.allocate(text.length * 3);
    const length = engine.text.write(text, engine.bytes, pointer);
    const code = engine.exports.sqlite3_bind_text(this.#pointer, index, pointer, length, TRANSIENT);
    engine.exports.sqlite3_free(pointer);
    return code;
  }

  #bindBlob(index: number, blob: Uint8Array): number {
    const engine = this.#engine;
    const pointer = engine.allocate(blob.length);
    engine.bytes.set(blob, pointer);
    const code = engine.exports.sqlite3_bind_blob(this.#pointer, index, pointer, blob.length, TRANSIENT);
    engine.exports.sqlite3_free(pointer);
    return code;
  }

  #row(): SqlRow {
    const row: SqlRow = {};
    for (let column = 0; column < this.#columns.length; column += 1) {
      row[this.#columns[column] as string] = this.#value(column);
    }
    return row;
  }

  #exactValue(column: number): SqlValue {
    const { exports } = this.#engine;
    if (exports.sqlite3_column_type(this.#pointer, column) !== TYPE.INTEGER) return this.#value(column);
    const exact = exports.sqlite3_column_int64(this.#pointer, column);
    const value = Number(exact);
    if (Number.isSafeInteger(value)) return value;
    const name = this.#columns[column] as string;
    throw new QueryError(`column "${name}" has the integer ${exact}, which no number holds; cast it to text`);
  }

  #value(column: number): SqlValue {
    const { exports } = this.#engine;
    const statement = this.#pointer;
    switch (exports.sqlite3_column_type(statement, column)) {
      case TYPE.INTEGER:
      case TYPE.FLOAT:
        // Integers that we store are below 2^53, which a double holds exactly; the BigInt call is five times slower.
        return exports.sqlite3_column_double(statement, column);
      case TYPE.TEXT: {
        const pointer = exports.sqlite3_column_text(statement, column);
        return this.#engine.text.read(this.#engine.bytes, pointer, exports.sqlite3_column_bytes(statement, column));
      }
      case TYPE.BLOB: {
        const pointer = exports.sqlite3_column_blob(statement, column);
        return this.#engine.bytes.slice(pointer, pointer + exports.sqlite3_column_bytes(statement, column));
      }
      default:
        return null;
    }
  }
}

/** Longest text that copying letter by letter is faster for than a call into the platform: 12 ns against 65 ns. */
const SHORT_TEXT = 24;

function writeShortAscii(text: string, into: Uint8Array, at: number): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return false;
    into[at + index] = unit;
  }
  return true;
}
