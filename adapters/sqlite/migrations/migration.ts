/** One step of the schema. Append-only: a released migration is never edited. */
export interface Migration {
  /** 1 for the first; stored as SQLite's `user_version`. */
  readonly version: number;
  readonly name: string;
  /** Run in order, in one transaction with the new version number. */
  readonly statements: readonly string[];
}
