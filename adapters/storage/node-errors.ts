import { closeSync, fsyncSync, openSync } from "node:fs";
import { StemError, StorageFullError, StorageIoError, StorageReadOnlyError } from "../../src/errors.ts";

/** The platform's own code of a failed call, such as `ENOENT`; the error's name for what is not a system error. */
export function osCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown";
}

/** Whether `error` is a system error with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(osCode(error));
}

/** Turns what a storage call threw into the typed error for it; typed errors pass unchanged. */
export function storageFailure(call: string, path: string, error: unknown): StemError {
  if (error instanceof StemError) return error;
  const code = osCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") return new StorageFullError(path, error);
  return new StorageIoError(call, path, code, error);
}

/** As {@link storageFailure} for the calls that open or create: a refusal there means that `path` is read-only. */
export function openingFailure(call: string, path: string, needs: string, error: unknown): StemError {
  if (hasCode(error, "EROFS", "EACCES", "EPERM")) return new StorageReadOnlyError(path, needs, error);
  return storageFailure(call, path, error);
}

/** Makes the entries of a folder survive a power cut, where the file system has such a call. */
export function flushDirectory(directory: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(directory, "r");
    fsyncSync(descriptor);
  } catch (error) {
    if (!isUnsupported(error)) throw storageFailure("fsync", directory, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Windows cannot open a folder as a file, and some network and user-space file systems cannot flush one. */
function isUnsupported(error: unknown): boolean {
  if (hasCode(error, "EINVAL", "ENOTSUP")) return true;
  return process.platform === "win32" && hasCode(error, "EISDIR", "EPERM", "EACCES");
}
