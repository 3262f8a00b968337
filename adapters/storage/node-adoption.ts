import {
  type BigIntStats,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseBusyError, DatabaseReplacedError } from "../../src/errors.ts";
import { flushDirectory, hasCode, storageFailure } from "./node-errors.ts";
import { nodeFilePath } from "./node-file-path.ts";

const LOGS = [
  { name: "wal", magics: ["377f0682", "377f0683"] },
  { name: "journal", magics: ["d9d505f9"] },
] as const;

/**
 * Throws `DatabaseBusyError` when the kernel lists a lock of an ordinary SQLite program on the database. Sees programs
 * of this machine on Linux only, and none in other containers; elsewhere it does nothing.
 */
export function refuseForeignLocks(path: string): void {
  if (process.platform !== "linux") return;
  const key = lockKey(path);
  const holder = key === undefined ? undefined : findLockHolder(key, path);
  if (holder === undefined) return;
  const isOurs = holder === process.pid;
  throw new DatabaseBusyError(
    path,
    isOurs ? "another SQLite library in this process" : `another SQLite program (process ${holder})`,
  );
}

/**
 * Takes over what a crashed ordinary SQLite program left beside the database: its log gets our private name, so that
 * recovery finds it. Throws `DatabaseReplacedError` when there is a log of ours too, since only one can belong.
 * `prepare` runs before anything is changed, when there is something to take over.
 */
export function adoptForeignLogs(path: string, prepare: () => void): void {
  // SQLite discards the log of a database that has no pages.
  if (sizeOf(path) === 0) return;
  const found = LOGS.filter(({ name, magics }) => magics.some((magic) => magic === readMagic(`${path}-${name}`)));
  if (found.length === 0) return;
  for (const { name } of found) {
    if (sizeOf(nodeFilePath(path, name)) === 0) continue;
    const both = `"${path}-${name}" of another SQLite program and "${nodeFilePath(path, name)}"`;
    throw new DatabaseReplacedError(path, `has two logs, ${both}; only one of them belongs to it`);
  }
  prepare();
  try {
    for (const { name } of found) renameSync(`${path}-${name}`, nodeFilePath(path, name));
    rmSync(`${path}-shm`, { force: true });
  } catch (error) {
    throw storageFailure("rename", path, error);
  }
  flushDirectory(dirname(path));
}

/** The first four bytes in hexadecimal; a file that does not start like a log is none, to SQLite neither. */
function readMagic(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    const noFollow = process.platform === "win32" ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK;
    descriptor = openSync(path, constants.O_RDONLY | noFollow);
    const magic = Buffer.alloc(4);
    return readSync(descriptor, magic, 0, 4, 0) === 4 ? magic.toString("hex") : undefined;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ELOOP", "EISDIR")) return undefined;
    throw storageFailure("open", path, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function sizeOf(path: string): number {
  return Number(statFile(path)?.size ?? 0);
}

function statFile(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    throw storageFailure("stat", path, error);
  }
}

/** How `/proc/locks` writes a file: major and minor device number in hexadecimal, then the inode. */
function lockKey(path: string): string | undefined {
  const stats = statFile(path);
  if (stats === undefined) return undefined;
  const { dev: device, ino: inode } = stats;
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  const hex = (value: bigint): string => value.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${inode}`;
}

function findLockHolder(key: string, path: string): number | undefined {
  let table: string;
  try {
    table = readFileSync("/proc/locks", "latin1");
  } catch (error) {
    // Some sandboxes hide the table; the masked header then stays the only guard.
    if (hasCode(error, "ENOENT", "EACCES", "EPERM")) return undefined;
    throw storageFailure("open", path, error);
  }
  for (const line of table.split("\n")) {
    // SQLite takes record locks; a `flock` on the file is somebody else's business.
    if (!/ (POSIX|OFDLCK) /.test(line)) continue;
    const fields = line.trim().split(/\s+/);
    const at = fields.indexOf(key);
    if (at > 0) return Number(fields[at - 1]);
  }
  return undefined;
}
