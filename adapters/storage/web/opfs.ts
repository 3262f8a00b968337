import type { StorageAcquisition, StorageDriver, StoragePeer } from "../../../src/contracts/storage-driver.ts";
import { openHandles, requireSyncHandles } from "./opfs-handles.ts";
import { OPFS, OpfsLease } from "./opfs-lease.ts";
import { identifyOpfs, identifyOpfsFolder } from "./opfs-name.ts";
import { becomeWebOwner, meetWebOwner } from "./web-ownership.ts";

/** Where {@link opfsStorage} looks for relative names. */
export interface OpfsStorageOptions {
  /**
   * The folder of the origin's private file system that names without a leading slash start from; created when missing.
   *
   * @defaultValue `"/stem-sqlite"`
   */
  readonly directory?: string;
}

/**
 * Keeps databases in files of the origin's private file system, through synchronous access handles. Databases can be
 * owned in dedicated workers only; everywhere else `acquire` throws `UnsupportedEnvironmentError`, and `meet` works.
 * One context of the origin owns a database; it also has the files `<file>-stemwal` and `<file>-stemjournal`.
 */
export function opfsStorage(options: OpfsStorageOptions = {}): StorageDriver {
  const directory = identifyOpfsFolder(options.directory ?? "/stem-sqlite");
  const identify = (database: string): string => identifyOpfs(database, directory);
  const placeOf = (database: string) => ({ driver: OPFS.name, database: identify(database) });
  return Object.freeze<StorageDriver>({
    ...OPFS,
    identify,
    async acquire(name: string): Promise<StorageAcquisition> {
      const place = placeOf(name);
      requireSyncHandles();
      const result = await becomeWebOwner(place);
      if ("peer" in result) return { role: "member", peer: result.peer };
      try {
        return { role: "owner", lease: new OpfsLease(place.database, result.owner, await openHandles(place.database)) };
      } catch (error) {
        await result.owner.release();
        throw error;
      }
    },
    async meet(name: string): Promise<StoragePeer | undefined> {
      return meetWebOwner(placeOf(name));
    },
  });
}
