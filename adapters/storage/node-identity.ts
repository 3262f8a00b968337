import { accessSync, constants, lstatSync, mkdirSync, realpathSync, statSync, type Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  InvalidOptionError,
  MultipleLinksError,
  NotAQueueDatabaseError,
  type StemError,
  StorageReadOnlyError,
} from "../../src/errors.ts";
import { flushDirectory, hasCode, openingFailure, storageFailure } from "./node-errors.ts";

/** File systems take 255 bytes; the longest name made from a database's own ends in `.lock.` and 25 digits. */
const NAME_LIMIT = 255 - 31;
const NEEDS_FILE = "permission to read and write the file";
const NEEDS_FOLDER = "permission to list the folder and to create files in it";

/**
 * Gives the one absolute path of a database, however it was named, and refuses what is no plain file or cannot be
 * written. Creates nothing.
 */
export function identifyFile(name: string, directory: string): string {
  checkName(name);
  const path = resolve(directory, name);
  const real = realPath(path);
  if (real === undefined) return identifyMissing(path);
  const stats = inspect(real, () => statSync(real));
  checkKind(real, stats);
  checkAccess(real, constants.R_OK | constants.W_OK, NEEDS_FILE);
  checkAccess(dirname(real), constants.R_OK | constants.W_OK | constants.X_OK, NEEDS_FOLDER);
  return real;
}

/** Creates the folders above a database that are missing, for this user only, so that they survive a power cut. */
export function createFolders(directory: string): void {
  let first: string | undefined;
  try {
    first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw openingFailure("mkdir", directory, NEEDS_FOLDER, error);
  }
  if (first === undefined) return;
  for (let created = directory; ; created = dirname(created)) {
    flushDirectory(dirname(created));
    if (created === first || created === dirname(created)) return;
  }
}

function checkName(name: string): void {
  if (typeof name !== "string" || name.trim() === "") {
    throw new InvalidOptionError("file", name, "a path that is not empty");
  }
  if (name.includes("\0")) throw new InvalidOptionError("file", name, "a path without NUL characters");
  const file = basename(name);
  if (Buffer.byteLength(file) > NAME_LIMIT) {
    throw new InvalidOptionError("file", name, `a path whose last part takes at most ${NAME_LIMIT} bytes`);
  }
  if (/-stem(wal|journal)$/.test(file)) {
    throw new InvalidOptionError("file", name, "a path that does not end in -stemwal or -stemjournal");
  }
  if (name.endsWith("/") || (process.platform === "win32" && name.endsWith("\\"))) {
    throw new NotAQueueDatabaseError(name, "the path names a folder");
  }
}

function checkKind(path: string, stats: Stats): void {
  if (stats.isDirectory()) throw new NotAQueueDatabaseError(path, "it is a folder");
  if (!stats.isFile()) throw new NotAQueueDatabaseError(path, "it is not a plain file");
  if (stats.nlink > 1) throw new MultipleLinksError(path, stats.nlink);
}

function checkAccess(path: string, mode: number, needs: string): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw openingFailure("access", path, needs, error);
  }
}

/** The name of a file that is not there yet: its nearest existing folder's real path, and the rest as given. */
function identifyMissing(path: string): string {
  let missing = path;
  const rest: string[] = [];
  for (;;) {
    refuseDanglingLink(missing);
    rest.unshift(basename(missing));
    const above = dirname(missing);
    const real = realPath(above);
    if (real !== undefined) {
      if (!inspect(real, () => statSync(real)).isDirectory()) {
        throw new NotAQueueDatabaseError(path, `"${real}" is not a folder`);
      }
      checkAccess(real, constants.R_OK | constants.W_OK | constants.X_OK, NEEDS_FOLDER);
      return join(real, ...rest);
    }
    missing = above;
  }
}

function refuseDanglingLink(path: string): void {
  const stats = inspect(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (stats?.isSymbolicLink() === true) {
    throw new NotAQueueDatabaseError(path, "it is a symbolic link to something that does not exist");
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw pathFailure(path, error);
  }
}

function inspect<Result>(path: string, stat: () => Result): Result {
  try {
    return stat();
  } catch (error) {
    throw pathFailure(path, error);
  }
}

function pathFailure(path: string, error: unknown): StemError {
  if (hasCode(error, "ENOTDIR")) return new NotAQueueDatabaseError(path, "a part of the path is not a folder");
  if (hasCode(error, "ELOOP")) return new NotAQueueDatabaseError(path, "its symbolic links lead in a circle");
  const needs = "permission to enter the folders above it";
  if (hasCode(error, "EACCES")) return new StorageReadOnlyError(path, needs, error);
  return storageFailure("realpath", path, error);
}
