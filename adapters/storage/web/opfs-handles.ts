import type { StorageFileName } from "../../../src/contracts/storage-driver.ts";
import {
  DatabaseBusyError,
  NotAQueueDatabaseError,
  type StemError,
  UnsupportedEnvironmentError,
} from "../../../src/errors.ts";
import { webErrorName, webStorageFailure } from "./web-errors.ts";
import { webPause } from "./web-pause.ts";

/** About three seconds in all. A browser closes the handles of a context that has ended a moment after its locks. */
const ATTEMPTS = 64;
const LONGEST_PAUSE_MS = 50;

/** The folder of a database, and its three files, open for this context alone. */
export interface OpfsHandles {
  readonly folder: FileSystemDirectoryHandle;
  readonly files: Readonly<Record<StorageFileName, FileSystemSyncAccessHandle>>;
}

/** Private names for the logs, as on other platforms. */
export function opfsFilePath(database: string, name: StorageFileName): string {
  return name === "db" ? database : `${database}-stem${name}`;
}

/** Throws `UnsupportedEnvironmentError` where a context cannot open files for synchronous calls. */
export function requireSyncHandles(): void {
  const { storage } = navigator as { readonly storage?: Partial<StorageManager> };
  if (storage?.getDirectory === undefined) {
    throw new UnsupportedEnvironmentError("the origin private file system (navigator.storage.getDirectory)");
  }
  const { FileSystemFileHandle: handle } = globalThis as { readonly FileSystemFileHandle?: { prototype: object } };
  if (handle === undefined || !("createSyncAccessHandle" in handle.prototype)) {
    throw new UnsupportedEnvironmentError("synchronous file handles, which browsers have in dedicated workers only");
  }
}

/** The root of the origin's private file system; throws `UnsupportedEnvironmentError` where it is shut. */
export async function opfsRoot(): Promise<FileSystemDirectoryHandle> {
  try {
    return await navigator.storage.getDirectory();
  } catch (error) {
    // Private windows have the call, and refuse it.
    if (["SecurityError", "NotSupportedError", "NotAllowedError"].includes(webErrorName(error))) {
      throw new UnsupportedEnvironmentError("access to the origin private file system, as in some private windows");
    }
    throw webStorageFailure("getDirectory", "/", error);
  }
}

/** Opens the files of a database, which are created when missing, with the folders above them. */
export async function openHandles(path: string): Promise<OpfsHandles> {
  requireSyncHandles();
  const folder = await openFolder(path);
  const names = ["db", "wal", "journal"] as const;
  const opened = await Promise.allSettled(names.map(async (name) => openHandle(folder, opfsFilePath(path, name))));
  const fault = opened.find((result) => result.status === "rejected");
  const handles = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const [db, wal, journal] = handles;
  if (db !== undefined && wal !== undefined && journal !== undefined) return { folder, files: { db, wal, journal } };
  for (const handle of handles) handle.close();
  throw fault?.reason;
}

/**
 * Opens one file alone; throws `DatabaseBusyError` when somebody else has it open and does not close it. `pause` is
 * what passes between two tries, in milliseconds.
 */
export async function openHandle(
  folder: FileSystemDirectoryHandle,
  path: string,
  pause: (milliseconds: number) => Promise<void> = webPause,
): Promise<FileSystemSyncAccessHandle> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const file = await folder.getFileHandle(lastPart(path), { create: true });
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (webErrorName(error) !== "NoModificationAllowedError") {
        throw openingFailure("createSyncAccessHandle", path, error);
      }
    }
    await pause(Math.min(attempt, LONGEST_PAUSE_MS));
  }
  throw new DatabaseBusyError(path, "a tab or worker that has its file open without owning it");
}

/** The last part of a path. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

async function openFolder(path: string): Promise<FileSystemDirectoryHandle> {
  let folder = await opfsRoot();
  const parts = path.split("/").slice(1, -1);
  for (const [index, part] of parts.entries()) {
    try {
      folder = await folder.getDirectoryHandle(part, { create: true });
    } catch (error) {
      throw openingFailure("getDirectoryHandle", `/${parts.slice(0, index + 1).join("/")}`, error);
    }
  }
  return folder;
}

function openingFailure(call: string, path: string, error: unknown): StemError {
  if (webErrorName(error) === "TypeMismatchError") {
    return new NotAQueueDatabaseError(path, call === "getDirectoryHandle" ? "it is not a folder" : "it is a folder");
  }
  return webStorageFailure(call, path, error);
}
