import { SchemaTamperedError } from "../../../src/error-database.ts";
import { SchemaTooNewError } from "../../../src/errors.ts";
import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import type { SqlDatabase } from "../../../src/contracts/sql-engine.ts";
import { type Migration, MIGRATIONS } from "../migrations/index.ts";
import { inTransaction } from "./transaction.ts";

/** `STEM` in ASCII: SQLite's `application_id` of every database of this library. */
export const APPLICATION_ID = 0x5354454d;

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

const READ_VERSION = "pragma user_version";
const READ_SCHEMA = /* sql */ `select type, name, sql from sqlite_schema where sql is not null order by name`;

const ADD_COLUMN = /^alter table (\w+) add column (.+)$/;
const END_OF_COLUMNS = /\) strict(?:, without rowid)?$/;

/** Version of the schema in the file; 0 for a new one. */
export function schemaVersion(database: SqlSession): number {
  return database.get<{ user_version: number }>(READ_VERSION)?.user_version ?? 0;
}

/** Throws `SchemaTooNewError` when a newer release wrote the schema. Writes nothing. */
export function checkVersion(version: number, path: string, migrations: readonly Migration[] = MIGRATIONS): void {
  const supported = migrations.at(-1)?.version ?? 0;
  if (version > supported) throw new SchemaTooNewError(path, version, supported);
}

/**
 * Brings the schema up to date, each migration in one transaction with its version number: a crash leaves a whole
 * number of migrations behind, and the next open goes on from there.
 */
export function migrate(database: SqlDatabase, migrations: readonly Migration[] = MIGRATIONS): void {
  const present = schemaVersion(database);
  for (const migration of migrations) {
    if (migration.version <= present) continue;
    inTransaction(database, () => {
      database.run(`pragma application_id = ${APPLICATION_ID}`);
      database.run(`pragma user_version = ${migration.version}`);
      for (const statement of migration.statements) database.run(statement);
    });
  }
}

/** Throws `SchemaTamperedError` unless the schema is exactly what the migrations up to its version make. */
export function checkSchema(database: SqlSession, path: string, migrations: readonly Migration[] = MIGRATIONS): void {
  const version = schemaVersion(database);
  const expected = expectedSchema(migrations.filter((migration) => migration.version <= version));
  for (const found of database.all<SchemaObject>(READ_SCHEMA)) {
    const statement = expected.get(found.name);
    if (statement === undefined) throw new SchemaTamperedError(path, `unexpected ${found.type} "${found.name}"`);
    if (normalise(statement) !== normalise(found.sql)) {
      throw new SchemaTamperedError(path, `${found.type} "${found.name}" is not as this library made it`);
    }
    expected.delete(found.name);
  }
  const [missing] = expected.keys();
  if (missing !== undefined) throw new SchemaTamperedError(path, `"${missing}" is missing`);
}

/** By name, the statement of each table and index as SQLite stores it. */
function expectedSchema(migrations: readonly Migration[]): Map<string, string> {
  const expected = new Map<string, string>();
  for (const statement of migrations.flatMap(({ statements }) => statements)) {
    const [, table, column] = ADD_COLUMN.exec(statement) ?? [];
    if (statement.startsWith("create ")) expected.set(objectName(statement), statement);
    else if (table !== undefined) {
      expected.set(table, (expected.get(table) ?? "").replace(END_OF_COLUMNS, `, ${column ?? ""}$&`));
    }
  }
  return expected;
}

function objectName(statement: string): string {
  return /^create (?:unique )?(?:table|index) (\w+)/.exec(statement)?.[1] ?? statement;
}

/** SQLite stores the first two words of a statement in upper case. */
function normalise(sql: string): string {
  return sql.replaceAll(/\s+/g, " ").trim().toLowerCase();
}
