import type { StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";
import { DatabaseExistsError } from "../../../src/error-database.ts";
import { NotAQueueDatabaseError, OutcomeUnknownError } from "../../../src/errors.ts";
import { importMagic, MAGIC_BYTES } from "./header-guard.ts";
import { readApplicationId } from "./inspect-file.ts";
import { APPLICATION_ID } from "./migrate.ts";
import { StorageFiles } from "./storage-files.ts";

const PART_BYTES = 1_048_576;

/**
 * Makes a closed database of `bytes`, which are one. From its first change to its last the file says that it is not
 * finished: whatever ends the work in between, `openDatabase` refuses it, and the copy can be written again. A database
 * that was there and is to be replaced is lost from the first change on.
 *
 * Throws `DatabaseExistsError` for a database that is not to be replaced, and `NotAQueueDatabaseError` for a file that
 * never is; both are left untouched. A fault where nothing was leaves nothing; any other one, or one that keeps that from
 * being done, is an `OutcomeUnknownError`.
 */
export function writeCopy(lease: StorageLease, bytes: Uint8Array, replace: boolean): void {
  const isThere = lookAt(lease, replace);
  const file = lease.open("db");
  try {
    file.write(importMagic(), 0);
    file.flush();
    deleteLogs(lease);
    // The log of another program would be taken for one of the copy.
    lease.adoptLogs?.(() => undefined);
    deleteLogs(lease);
    for (let at = MAGIC_BYTES; at < bytes.length; at += PART_BYTES) {
      file.write(bytes.subarray(at, at + PART_BYTES), at);
    }
    file.truncate(bytes.length);
    file.flush();
    file.write(bytes.subarray(0, MAGIC_BYTES), 0);
    file.flush();
  } catch (error) {
    file.close();
    throw isThere || !removeAgain(lease) ? new OutcomeUnknownError("the import of a copy", error) : error;
  }
  file.close();
}

/** Whether there is anything that a fault has to leave a trace of. */
function lookAt(lease: StorageLease, replace: boolean): boolean {
  const files = new StorageFiles(lease);
  try {
    const kind = files.header();
    const file = files.open("db");
    if (kind === "unfinished") return true;
    const isNothing = kind === "empty" || (kind === "other" && isTornMagic(file));
    if (isNothing && !lease.exists("wal") && !lease.exists("journal")) return false;
    if (kind === "other") throw new NotAQueueDatabaseError(lease.path, "it does not start like a SQLite file");
    if (kind === "sqlite" && readApplicationId(file) !== APPLICATION_ID) {
      throw new NotAQueueDatabaseError(lease.path, "it is a SQLite database of another application");
    }
    if (!replace) throw new DatabaseExistsError(lease.path);
    return true;
  } finally {
    files.abandon();
  }
}

/** The first write of an import that a crash has left nothing of but the room for it. */
function isTornMagic(file: SyncFile): boolean {
  const head = new Uint8Array(MAGIC_BYTES);
  return file.size() <= MAGIC_BYTES && head.subarray(0, file.read(head, 0)).every((byte) => byte === 0);
}

function deleteLogs(lease: StorageLease): void {
  for (const name of ["wal", "journal"] as const) if (lease.exists(name)) lease.delete(name, { flush: true });
}

/** Whether it is certain that nothing is there. */
function removeAgain(lease: StorageLease): boolean {
  try {
    lease.delete("db", { flush: true });
    return true;
  } catch {
    // The fault that led here is the one to be told.
    return false;
  }
}
