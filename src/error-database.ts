import { StemError } from "./errors.ts";

/** A copy was to be imported where a database is already; it was left untouched. */
export class DatabaseExistsError extends StemError {
  override readonly name = "DatabaseExistsError";
  constructor(path: string) {
    super("STEM_DATABASE_EXISTS", `"${path}" exists already; import with "replace" to lose what it holds.`, {
      details: { path },
    });
  }
}

/** A query is not one statement that only reads, or SQLite cannot run it; the message is SQLite's where it has one. */
export class QueryError extends StemError {
  override readonly name = "QueryError";
  constructor(finding: string) {
    super("STEM_QUERY", `The query cannot be answered: ${finding}.`, { details: { finding } });
  }
}

/** A query was stopped: it asked more of the owner of the database than one query may. */
export class QueryLimitError extends StemError {
  override readonly name = "QueryLimitError";
  constructor(what: string, limit: number) {
    super("STEM_QUERY_LIMIT", `The query was stopped: it needs more than ${limit} ${what}.`, {
      details: { what, limit },
    });
  }
}

/** The schema holds an object that no migration made, or lacks one. */
export class SchemaTamperedError extends StemError {
  override readonly name = "SchemaTamperedError";
  constructor(path: string, finding: string) {
    const message = `The schema of "${path}" was changed from outside: ${finding}.`;
    super("STEM_SCHEMA_TAMPERED", message, { details: { path, finding } });
  }
}
