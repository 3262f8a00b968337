import type { DatabaseHealth } from "../../src/contracts/database-health.ts";
import type { SqlValue } from "../../src/contracts/sql-database.ts";
import { checkInteger, mergeOptions } from "../../src/core/options.ts";
import { ClosedError, EngineError, InvalidOptionError } from "../../src/errors.ts";
import { fromBase64 } from "./base64.ts";
import { type ConnectionOptions, splitConnectionOptions } from "./connection-options.ts";
import { readHealth } from "./database-health.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { type HubHandle, openHub } from "./open-hub.ts";
import { parseDatabaseUrl } from "./parse-database-url.ts";
import { fromQueryValue, type QueryValue, toQueryValue } from "./query-values.ts";

/** How {@link SqliteDatabase} reaches its file. */
export type SqliteDatabaseOptions = ConnectionOptions;

/** What goes with a query. */
export interface QueryOptions {
  /** Values for `:name` in the statement: every parameter has to be given. @defaultValue none */
  readonly parameters?: Readonly<Record<string, SqlValue>>;
  /** So many rows are returned at most, from 1 to 100,000. @defaultValue `1_000` */
  readonly maxRows?: number;
}

/** The answer of {@link SqliteDatabase.query}. */
export interface QueryResult {
  /** As SQLite names them; two may have one name. */
  readonly columns: readonly string[];
  /** Values in the order of `columns`. */
  readonly rows: readonly (readonly SqlValue[])[];
  /** There are more rows than `maxRows`, or than go into an answer of 8 MiB. */
  readonly truncated: boolean;
}

const DEFAULTS = {
  parameters: {} as Readonly<Record<string, SqlValue>>,
  maxRows: 1_000,
};
const MOST_ROWS = 100_000;
const LONGEST_SQL = 100_000;
/** Of a copy, in one message. */
const PART_BYTES = 1_048_576;
/** So often a copy is begun again because its owner ended. */
const ATTEMPTS = 10;

/** Ids of copies, of all databases: an owner never sees one twice. */
let lastCopy = 0;

/** The file of a broker, a result backend or a revoke store, or of several of them: to look into it and to copy it. */
export class SqliteDatabase {
  readonly #handle: HubHandle;
  #closing: Promise<void> | undefined;

  private constructor(handle: HubHandle) {
    this.#handle = handle;
  }

  /**
   * Opens, and creates where absent, the database in `file`: a path on Node, or `":memory:"`. Stores of this thread on the
   * same file share it. Throws as `SqliteBroker.open` does, leaving the file as it was.
   */
  static async open(file: string, options?: SqliteDatabaseOptions): Promise<SqliteDatabase> {
    const { connection, own } = splitConnectionOptions(options);
    mergeOptions({}, own);
    return new SqliteDatabase(await openHub(file, connection));
  }

  /** Like {@link SqliteDatabase.open}, for `sqlite:` and `file:` URLs and plain paths. */
  static async connect(url: string, options?: SqliteDatabaseOptions): Promise<SqliteDatabase> {
    return SqliteDatabase.open(parseDatabaseUrl(url), options);
  }

  /** How the database is: where it is kept, who owns it, what it takes. */
  async health(): Promise<DatabaseHealth> {
    return readHealth(this.#hub());
  }

  /**
   * Runs one statement that only reads: `select`, `values`, `explain`, or a pragma that tells something such as
   * `table_info`. It runs between two operations, on the owner, which serves nobody else meanwhile.
   *
   * Throws `QueryError`, before any effect, for anything else, with SQLite's own message where it has one, and for an
   * integer beyond 2^53, which no number holds: cast it to text. Throws `QueryLimitError` for a query that takes more
   * than 10 million steps, two seconds, 256 MiB of memory or 64 MiB for one value. A look at the time is taken between
   * steps: one call of a function such as `instr` on long texts is one step, and is not interrupted. A query that two
   * owners ended over throws `EngineError`, and is not given to a third one.
   */
  async query(sql: string, options?: QueryOptions): Promise<QueryResult> {
    const hub = this.#hub();
    const { parameters, maxRows } = mergeOptions(DEFAULTS, options);
    checkInteger("maxRows", maxRows, { min: 1, max: MOST_ROWS });
    const call = { sql: checkSql(sql), parameters: checkParameters(parameters), maxRows };
    const { columns, rows, truncated } = await hub.call("queryDatabase", call);
    return { columns, rows: rows.map((row) => row.map(fromQueryValue)), truncated };
  }

  /**
   * The bytes of the whole database as it is between two operations, in a form that any SQLite program opens. The owner
   * has a copy in memory until it was read; throws `PayloadTooLargeError` above 1 GiB.
   */
  async export(): Promise<Uint8Array<ArrayBuffer>> {
    const hub = this.#hub();
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const copy = await readCopy(hub, (lastCopy += 1));
      if (copy !== undefined) return copy;
    }
    throw new EngineError("its owner ended again and again while a copy was read", { retryable: true });
  }

  /** Gives the share in the file up. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#handle.release();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #hub(): HubClient {
    if (this.#closing !== undefined) throw new ClosedError("The database");
    return this.#handle.hub;
  }
}

/** `undefined` when the owner that made the copy has ended. */
async function readCopy(hub: HubClient, id: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const size = await hub.call("beginCopy", { id });
  try {
    const copy = new Uint8Array(size);
    for (let at = 0; at < size; at += PART_BYTES) {
      const part = await hub.call("readCopy", { id, at, length: PART_BYTES });
      if (part === null) return undefined;
      copy.set(fromBase64(part), at);
    }
    return copy;
  } finally {
    // Nobody needs the answer: an owner that cannot give it has no copy any more.
    hub.call("endCopy", { id }).catch(() => undefined);
  }
}

function checkSql(sql: unknown): string {
  if (typeof sql === "string" && sql.length <= LONGEST_SQL && !sql.includes("\0")) return sql;
  throw new InvalidOptionError("sql", sql, `one SQL statement of up to ${LONGEST_SQL} characters, without NUL`);
}

function checkParameters(parameters: unknown): Record<string, QueryValue> {
  if (parameters === null || typeof parameters !== "object" || Array.isArray(parameters)) {
    throw new InvalidOptionError("parameters", parameters, "an object of values by name");
  }
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, toQueryValue(checkValue(`parameters.${name}`, value))]),
  );
}

function checkValue(option: string, value: unknown): SqlValue {
  const isValue = value === null || typeof value === "string" || value instanceof Uint8Array;
  if (isValue || (typeof value === "number" && Number.isFinite(value))) return value;
  throw new InvalidOptionError(option, value, "null, a finite number, a string or a Uint8Array");
}
