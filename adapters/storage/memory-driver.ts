import type { StorageAcquisition, StorageDriver, StoragePeer } from "../../src/contracts/storage-driver.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { type MemoryDatabase, MemoryLease } from "./memory-lease.ts";

/** A driver for the databases of a map, which it fills; several drivers may have one map. */
export function memoryDriver(databases: Map<string, MemoryDatabase>, exclusiveAcrossContexts: boolean): StorageDriver {
  const identify = (database: string): string => {
    const name = typeof database === "string" ? database.trim() : "";
    if (name === "") throw new InvalidOptionError("file", database, "a name that is not empty");
    return name;
  };
  return Object.freeze<StorageDriver>({
    name: "memory",
    capabilities: Object.freeze({ persistent: false, durableFlush: true, exclusiveAcrossContexts }),
    identify,
    async acquire(name: string): Promise<StorageAcquisition> {
      const path = identify(name);
      const database: MemoryDatabase = databases.get(path) ?? { files: new Map(), owner: undefined };
      databases.set(path, database);
      if (database.owner !== undefined) return { role: "member", peer: database.owner.toPeer() };
      database.owner = new MemoryLease(path, database);
      return { role: "owner", lease: database.owner };
    },
    async meet(name: string): Promise<StoragePeer | undefined> {
      return databases.get(identify(name))?.owner?.toPeer();
    },
  });
}
