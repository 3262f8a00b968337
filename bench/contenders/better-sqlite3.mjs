// Bare inserts into a table as plainjob makes it, each one a transaction of its own: what a native SQLite does when
// several processes share a file and nothing stands between.
import { join } from "node:path";
import Database from "better-sqlite3";

/** How long an insert waits for others; they starve for seconds. */
const BUSY_TIMEOUT_MS = 60_000;

function openQueue(directory) {
  const database = new Database(join(directory, "bare.sqlite"), { timeout: BUSY_TIMEOUT_MS });
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec(`
    CREATE TABLE IF NOT EXISTS jobs (
      id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, data TEXT NOT NULL, status INTEGER NOT NULL DEFAULT 0,
      next_run_at INTEGER, created_at INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, type, next_run_at);
  `);
  const insert = database.prepare("INSERT INTO jobs (type, data, next_run_at, created_at) VALUES (?, ?, ?, ?)");
  return {
    isAsync: false,
    publish: (i) => insert.run("job", JSON.stringify({ i }), 0, Date.now()),
    close: () => database.close(),
  };
}

export function betterSqliteContender() {
  return { polls: false, openQueue };
}
