import { lstatSync, statSync, type Stats } from "node:fs";
import { DatabaseBusyError } from "../../src/errors.ts";
import { storageFailure } from "./node-errors.ts";

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Whether a lock folder is there. Throws `DatabaseBusyError` when it may be somebody else's trap: when it is no real
 * folder, when it belongs neither to this user, nor to the owner of the database, nor to root, or when others may
 * write to it. The folder is the fence of the socket in it: some systems ignore the mode of a socket.
 */
export function checkLockFolder(path: string, lock: string): boolean {
  const stats = inspect(lock, () => lstatSync(lock, { throwIfNoEntry: false }));
  if (stats === undefined) return false;
  if (stats.isDirectory() && (stats.mode & WRITABLE_BY_OTHERS) === 0 && isTrusted(stats.uid, path)) return true;
  throw new DatabaseBusyError(
    path,
    `a lock folder of another user, or one that others may change; if nobody uses the database, delete "${lock}"`,
  );
}

function isTrusted(user: number, path: string): boolean {
  if (user === 0 || user === process.geteuid?.()) return true;
  return user === inspect(path, () => statSync(path, { throwIfNoEntry: false }))?.uid;
}

function inspect(path: string, stat: () => Stats | undefined): Stats | undefined {
  try {
    return stat();
  } catch (error) {
    throw storageFailure("stat", path, error);
  }
}
