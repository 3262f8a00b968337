/** What SQLite stores. Integers must be safe integers; a boolean has no SQL form. */
export type SqlValue = null | number | string | Uint8Array;
/** Values for named parameters, keyed without the colon. */
export type SqlParameters = Readonly<Record<string, SqlValue>>;
export type SqlRow = Record<string, SqlValue>;

/**
 * Synchronous statements on one open database, inside whatever transaction is under way. Statements are cached by
 * their text, so `sql` has to be a constant. Every parameter of a statement must be given.
 */
export interface SqlSession {
  /** Runs a statement that returns no rows; returns the number of changed rows. */
  run(sql: string, parameters?: SqlParameters): number;
  /** First row, or `undefined`. */
  get<Row extends object = SqlRow>(sql: string, parameters?: SqlParameters): Row | undefined;
  all<Row extends object = SqlRow>(sql: string, parameters?: SqlParameters): Row[];
}
