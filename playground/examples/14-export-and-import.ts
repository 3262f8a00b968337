// A database is asked something, copied while it is in use, and made again from the copy under another name.
import { createEnvelope, importDatabase, SqliteBroker, SqliteDatabase } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  const broker = await SqliteBroker.open(file("jobs.sqlite"));
  for (const queue of ["mail", "mail", "reports"]) await broker.publish(createEnvelope({ name: "send", queue }));

  const database = await SqliteDatabase.open(file("jobs.sqlite"));
  const { rows } = await database.query("select queue, count(*) from queue_jobs group by queue order by queue");
  for (const [queue, count] of rows) log(`${String(queue)}: ${String(count)}`);
  await database.query("delete from queue_jobs").catch((error: Error) => log(error.message));

  const copy = await database.export();
  log(new TextDecoder().decode(copy.subarray(0, 15)));
  await database.close();
  await broker.purge("mail");
  await broker.close();

  await importDatabase(file("second.sqlite"), copy);
  await importDatabase(file("second.sqlite"), copy).catch((error: { code?: string }) => log(error.code));
  const second = await SqliteBroker.open(file("second.sqlite"));
  log(`mail in the copy: ${await second.pendingCount("mail")}`);
  await second.close();
}

export const expected: readonly string[] = [
  "mail: 2",
  "reports: 1",
  "The query cannot be answered: only one statement that reads is allowed, and it does more than read.",
  "SQLite format 3",
  "STEM_DATABASE_EXISTS",
  "mail in the copy: 2",
];
