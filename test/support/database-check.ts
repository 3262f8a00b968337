import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import initSqlJs from "sql.js";
import { MIGRATIONS } from "../../adapters/sqlite/migrations/index.ts";
import { openDatabase } from "../../adapters/sqlite/database/open-database.ts";
import { nodeStorage } from "../../adapters/storage/node.ts";
import { nodeEngineHost } from "../../adapters/entry/node-platform.ts";

/** "STEM": what makes a SQLite file one of this library. */
const STEM = 0x5354454d;

/** Whether the `sqlite3` program is installed; the tests that need it say so when they skip. */
export const hasSqliteProgram: boolean = spawnSync("sqlite3", ["--version"]).status === 0;

/** Runs SQL through the `sqlite3` program: its exit code and everything it said. */
export function runSqliteProgram(file: string, sql: string): Readonly<{ status: number | null; output: string }> {
  const { status, stdout, stderr } = spawnSync("sqlite3", ["-batch", file, sql], { encoding: "utf8" });
  return { status, output: `${stdout}${stderr}`.trim() };
}

/** Copies a database with its logs, and without its lock, as a crash left it. Returns the path of the copy. */
export function copyDatabase(file: string, into: string): string {
  const name = basename(file);
  for (const entry of readdirSync(dirname(file))) {
    const path = join(dirname(file), entry);
    if (entry.startsWith(name) && statSync(path).isFile()) cpSync(path, join(into, entry));
  }
  return join(into, name);
}

/**
 * Opens a database through the library's own engine, which recovers what a crash left, checks it in full and closes it
 * cleanly; sql.js, which has no code in common with this library, and `sqlite3`, where it is installed, then check it as
 * well. Returns what was found; nothing is fine.
 */
export async function checkDatabase(file: string): Promise<readonly string[]> {
  const acquired = await nodeStorage().acquire(file);
  if (acquired.role !== "owner") throw new Error(`${file} is open elsewhere.`);
  const { lease } = acquired;
  const findings: string[] = [];
  try {
    const { database } = await openDatabase(nodeEngineHost, lease, {
      synchronous: "full",
      now: () => 0,
      randomBytes: (into) => into.fill(7),
    });
    findings.push(
      ...database.all<{ integrity_check: string }>("pragma integrity_check").map((row) => row.integrity_check),
    );
    database.close();
  } finally {
    await lease.release();
  }
  findings.push(...(await readIndependently(file)));
  if (hasSqliteProgram) {
    findings.push(
      ...execFileSync("sqlite3", ["-readonly", file, "pragma integrity_check"], { encoding: "utf8" })
        .trim()
        .split("\n"),
    );
  }
  return findings.filter((finding) => finding !== "ok");
}

/** What sql.js finds in a file that was closed: damage, or facts that differ from what this release writes. */
async function readIndependently(file: string): Promise<string[]> {
  const { Database } = await initSqlJs();
  const database = new Database(readFileSync(file));
  const read = (pragma: string): unknown[] => (database.exec(`pragma ${pragma}`)[0]?.values ?? []).flat();
  try {
    // It has to be the first: without it sql.js cannot open a database that was written with a log.
    read("locking_mode = exclusive");
    const facts = { application_id: read("application_id")[0], user_version: read("user_version")[0] };
    const found = JSON.stringify(facts);
    const wanted = JSON.stringify({ application_id: STEM, user_version: MIGRATIONS.at(-1)?.version });
    return [...read("integrity_check").map(String), ...(found === wanted ? [] : [`sql.js reads ${found}`])];
  } finally {
    database.close();
  }
}
