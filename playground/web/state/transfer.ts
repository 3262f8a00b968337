import { importDatabase } from "stem-sqlite";
import { describeError } from "./notices.ts";
import { CONNECTION, currentSession, DATABASE, openSession } from "./session.ts";
import { startTabWorker, stopTabWorker, tabWorker } from "./tab-worker.ts";

/** Gives the database to the browser's downloads, as a file that any SQLite program opens. */
export async function downloadDatabase(): Promise<string> {
  const bytes = await currentSession().database.export();
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/vnd.sqlite3" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = DATABASE.replace(/^.*\//, "");
  link.click();
  // The download has begun once this turn is over; it reads the bytes, not the address.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return `Copied ${bytes.byteLength.toLocaleString("en-US")} bytes`;
}

/** Puts a file in the place of the database. Whatever happens, the page is open afterwards. */
export async function replaceDatabase(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const hadWorker = tabWorker.value !== undefined;
  await stopTabWorker();
  await currentSession().close();
  let failure: unknown;
  try {
    await importDatabase(DATABASE, bytes, { ...CONNECTION, replace: true });
  } catch (error) {
    failure = error;
  }
  await openSession();
  if (hadWorker) await startTabWorker();
  if (failure !== undefined) throw new Error(`Nothing was changed. ${describeError(failure)}`, { cause: failure });
  return `This is ${file.name} now`;
}
