import { onTestFinished } from "vitest";
import initSqlJs from "sql.js";

const sqlJs = await initSqlJs();

/** Opens a database's bytes with another SQLite program, which knows nothing of this library, and asks it something. */
export function readForeign(bytes: Uint8Array): (sql: string) => unknown[][] {
  const database = new sqlJs.Database(bytes);
  onTestFinished(() => database.close());
  return (sql) => database.exec(sql)[0]?.values ?? [];
}
