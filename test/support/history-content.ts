import { createHash } from "node:crypto";
import type { SqlSession } from "../../src/contracts/sql-database.ts";

/** Every row of every table at one moment, through SQL and not through the library's own statements. */
export interface DatabaseContent {
  /** The schema's version: SQLite's `user_version`. */
  readonly version: number;
  /** Equal for equal rows, schema and version, and for nothing else. */
  readonly digest: string;
  /** JSON of {@link ContentTables}. */
  readonly text: string;
}

/** The tables of a {@link DatabaseContent}, by name. */
export type ContentTables = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

const READ_SCHEMA = "select type, name, sql from sqlite_schema where sql is not null order by name";
const READ_COLUMNS = "select name from pragma_table_info(:table)";

/** The statement that reads everything, by schema: making it takes longer than running it. */
const statements = new Map<string, string>();

/** Reads everything; inside a transaction, what it would commit. */
export function readContent(sql: SqlSession): DatabaseContent {
  const schema = sql.all<{ type: string; name: string; sql: string }>(READ_SCHEMA);
  const schemaText = schema.map((object) => object.sql).join("\n");
  let statement = statements.get(schemaText);
  if (statement === undefined) {
    const tables = schema.filter(({ type }) => type === "table").map(({ name }) => name);
    statements.set(schemaText, (statement = statementFor(sql, tables)));
  }
  const version = sql.get<{ user_version: number }>("pragma user_version")?.user_version ?? 0;
  const text = sql.get<{ content: string }>(statement)?.content ?? "";
  const digest = createHash("sha1").update(schemaText).update(`\n${version}\n`).update(text).digest("base64");
  return { version, digest, text };
}

/** The rows of a content, as objects. */
export function tablesOf(content: DatabaseContent): ContentTables {
  return JSON.parse(content.text) as ContentTables;
}

function statementFor(sql: SqlSession, tables: readonly string[]): string {
  const parts = tables.map((table) => {
    const columns = sql.all<{ name: string }>(READ_COLUMNS, { table }).map(({ name }) => name);
    const order = columns.slice(0, 3).map((_, index) => index + 1);
    const row = columns.map((column) => `'${column}', ${column}`).join(", ");
    const rows = `select ${columns.join(", ")} from ${table} order by ${order.join(", ")}`;
    return `'${table}', json((select json_group_array(json_object(${row})) from (${rows})))`;
  });
  return `select json_object(${parts.join(", ")}) as content`;
}
