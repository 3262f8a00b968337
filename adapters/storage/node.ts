import { dirname, resolve } from "node:path";
import type { StorageAcquisition, StorageDriver, StoragePeer } from "../../src/contracts/storage-driver.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { refuseForeignLocks } from "./node-adoption.ts";
import { createFolders, identifyFile } from "./node-identity.ts";
import { NodeLease, removeNewImage } from "./node-lease.ts";
import { becomeOwner, meetOwner } from "./node-ownership.ts";

/** Where {@link nodeStorage} looks for relative names. */
export interface NodeStorageOptions {
  /**
   * The folder that relative names start from; created when missing.
   *
   * @defaultValue the working directory at the time of each call
   */
  readonly directory?: string;
}

/**
 * Keeps databases in files, through the synchronous calls of `node:fs`. A database has one owner among all processes
 * and threads of the machine; it also holds a folder `<file>.lock` and the logs `<file>-stemwal`, `<file>-stemjournal`.
 */
export function nodeStorage(options: NodeStorageOptions = {}): StorageDriver {
  const { directory } = options;
  if (directory !== undefined && (typeof directory !== "string" || directory === "" || directory.includes("\0"))) {
    throw new InvalidOptionError("directory", directory, "a path that is not empty, without NUL characters");
  }
  const identify = (database: string): string => identifyFile(database, resolve(directory ?? process.cwd()));
  return Object.freeze<StorageDriver>({
    name: "node",
    capabilities: Object.freeze({ persistent: true, durableFlush: true, exclusiveAcrossContexts: true }),
    identify,
    async acquire(database: string): Promise<StorageAcquisition> {
      const path = identify(database);
      createFolders(dirname(path));
      const result = await becomeOwner(path);
      if ("peer" in result) return { role: "member", peer: result.peer };
      try {
        refuseForeignLocks(path);
        removeNewImage(path);
      } catch (error) {
        await result.owner.release();
        throw error;
      }
      return { role: "owner", lease: new NodeLease(path, result.owner) };
    },
    async meet(database: string): Promise<StoragePeer | undefined> {
      return meetOwner(identify(database));
    },
  });
}
