import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { SqliteBroker } from "../../adapters/entry/node.ts";
import { createEnvelope } from "../../src/index.ts";
import { startProgram } from "../support/child-process.ts";
import { checkDatabase, hasSqliteProgram, runSqliteProgram } from "../support/database-check.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const ROUNDS = 5;
/** What people type, the harmless and the harmful. */
const FOREIGN_SQL = [
  "select count(*) from queue_jobs",
  "pragma integrity_check",
  "delete from queue_jobs",
  "create table mine (x)",
  "pragma wal_checkpoint(truncate)",
  "pragma journal_mode = delete",
  "vacuum",
];

function needsSqliteProgram({ skip }: TestContext): void {
  skip(!hasSqliteProgram, "the sqlite3 program is not installed");
}

describe("torture/foreign-program", () => {
  it("refuses the sqlite3 program while the file is open, which harms nothing", async (context) => {
    needsSqliteProgram(context);
    const file = join(useTempDirectory(), "queue.sqlite");
    const broker = await SqliteBroker.open(file);
    let published = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const sql of FOREIGN_SQL) {
        // Sent first: the engine's thread commits while the foreign program runs.
        const publishes = Promise.all(
          Array.from({ length: 20 }, () => broker.publish(createEnvelope({ id: `job-${published++}`, name: "work" }))),
        );
        const { status, output } = runSqliteProgram(file, sql);
        expect(output).toContain("file is not a database");
        expect(status).not.toBe(0);
        await publishes;
      }
      expect(await broker.pendingCount("default")).toBe(published);
    }
    await broker.close();
    expect(await checkDatabase(file)).toEqual([]);
    expect(runSqliteProgram(file, "select count(*) from queue_jobs")).toEqual({ status: 0, output: String(published) });
  });

  it("gives the file back to the sqlite3 program at a clean close, and takes it again", async (context) => {
    needsSqliteProgram(context);
    const file = join(useTempDirectory(), "queue.sqlite");
    for (let opened = 1; opened <= 3; opened++) {
      await using broker = await SqliteBroker.open(file);
      await broker.publish(createEnvelope({ name: "work" }));
      await broker.close();
      const { status, output } = runSqliteProgram(file, "pragma integrity_check; select count(*) from queue_jobs");
      expect({ status, output }).toEqual({ status: 0, output: `ok\n${opened}` });
    }
  });

  it("still refuses the sqlite3 program after a crash, until the library has recovered the file", async (context) => {
    needsSqliteProgram(context);
    const file = join(useTempDirectory(), "queue.sqlite");
    const holder = startProgram("hold-open", [file]);
    await holder.seen("open");
    holder.write("one");
    await holder.seen("published one");
    await holder.kill();
    expect(runSqliteProgram(file, "delete from queue_jobs").output).toContain("file is not a database");
    await SqliteBroker.open(file).then((broker) => broker.close());
    expect(runSqliteProgram(file, "select count(*) from queue_jobs")).toEqual({ status: 0, output: "1" });
  });

  it("shares a database with a second process, again and again", async () => {
    const file = join(useTempDirectory(), "queue.sqlite");
    const holder = startProgram("hold-open", [file]);
    await holder.seen("open");
    for (const id of ["one", "two", "three"]) {
      await using member = await SqliteBroker.open(file);
      holder.write(id);
      await holder.seen(`published ${id}`);
      expect((await member.listDeadLetters("default")).entries).toEqual([]);
    }
    holder.endInput();
    expect(await holder.ended).toBe(0);
    await using broker = await SqliteBroker.open(file);
    expect(await broker.pendingCount("default")).toBe(3);
  });

  it("opens at once for the next process when the first was killed", async () => {
    const file = join(useTempDirectory(), "queue.sqlite");
    const holder = startProgram("hold-open", [file]);
    await holder.seen("open");
    holder.write("one");
    await holder.seen("published one");
    await holder.kill();
    const broker = await SqliteBroker.open(file);
    expect(await broker.pendingCount("default")).toBe(1);
    await broker.close();
    expect(await checkDatabase(file)).toEqual([]);
  });
});
