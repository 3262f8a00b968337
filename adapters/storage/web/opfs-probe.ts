import { type StemError, StorageIoError } from "../../../src/errors.ts";
import { opfsRoot, openHandle, requireSyncHandles } from "./opfs-handles.ts";
import { webErrorName, webStorageFailure } from "./web-errors.ts";
import { webLocks } from "./web-locks.ts";
import { newWebId } from "./web-names.ts";
import { webPause } from "./web-pause.ts";

const ATTEMPTS = 20;

/** What {@link probeOpfs} found. */
export type OpfsProbe = { readonly works: true } | { readonly works: false; readonly reason: StemError };

/**
 * Whether this context can own databases of `opfsStorage`, found out by writing a file of a random name and removing
 * it: some browsers have all the calls, and none of them works. `reason` is an `UnsupportedEnvironmentError` where it
 * never will; `StorageFullError` and `StorageIoError` may pass.
 */
export async function probeOpfs(): Promise<OpfsProbe> {
  try {
    webLocks();
    requireSyncHandles();
    await tryFile();
    return { works: true };
  } catch (error) {
    return { works: false, reason: webStorageFailure("probe", "/", error) };
  }
}

async function tryFile(): Promise<void> {
  const root = await opfsRoot();
  const name = `stem-sqlite-probe-${newWebId()}`;
  const path = `/${name}`;
  try {
    const handle = await openHandle(root, path);
    try {
      const count = handle.write(Uint8Array.of(7), { at: 0 });
      handle.flush();
      // Before they were all synchronous, these returned promises.
      const size: unknown = handle.getSize();
      if (count !== 1 || size !== 1) throw new StorageIoError("write", path, `a count of ${count}`);
    } finally {
      handle.close();
    }
  } finally {
    await remove(root, name);
  }
}

/** A handle that was just closed may still be in the way. */
async function remove(root: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await root.removeEntry(name);
    } catch (error) {
      if (webErrorName(error) === "NotFoundError") return;
      if (webErrorName(error) !== "NoModificationAllowedError" || attempt === ATTEMPTS) throw error;
    }
    await webPause(attempt);
  }
}
