import type {
  AcquireOptions,
  StorageAcquisition,
  StorageDriver,
  StoragePeer,
} from "../../../src/contracts/storage-driver.ts";
import { INDEXED_DB, IndexedDbLease } from "./indexeddb-lease.ts";
import { IndexedDbPages } from "./indexeddb-pages.ts";
import { becomeLoneOwner } from "./lone-ownership.ts";
import { identifyOpfs } from "./opfs-name.ts";
import { hasWebLocks } from "./web-locks.ts";
import type { WebPlace } from "./web-names.ts";
import { becomeWebOwner, meetWebOwner, type WebOwnershipResult } from "./web-ownership.ts";

/** What {@link indexedDbDriver} works with. */
export interface IndexedDbDriverParts {
  /** Asked for at each opening, so that a page without IndexedDB learns of it then. */
  readonly factory: () => IDBFactory | undefined;
  readonly become: (place: WebPlace) => Promise<WebOwnershipResult>;
  readonly meet: (place: WebPlace) => Promise<StoragePeer | undefined>;
}

/** The same names as in files of the browser: a page may not know which of both keeps its databases. */
const DIRECTORY = "/stem-sqlite";

/**
 * Keeps databases in IndexedDB, one there for each here; works in pages and in workers
 * of every kind. An open database is in memory as a whole, and each commit stores the pages it changed. A database has
 * one owner among all tabs and workers of the origin. Where there are no Web Locks nobody else can use it meanwhile, and
 * opening it throws `DatabaseBusyError`.
 */
export function indexedDbStorage(): StorageDriver {
  return indexedDbDriver({
    factory: () => (globalThis as { indexedDB?: IDBFactory }).indexedDB,
    become: async (place) => (hasWebLocks() ? becomeWebOwner(place) : { owner: await becomeLoneOwner(place) }),
    meet: async (place) => (hasWebLocks() ? meetWebOwner(place) : undefined),
  });
}

/** As {@link indexedDbStorage}, for tests: on another IndexedDB, and with another way to become the owner. */
export function indexedDbDriver({ factory, become, meet }: IndexedDbDriverParts): StorageDriver {
  const identify = (database: string): string => identifyOpfs(database, DIRECTORY);
  return Object.freeze<StorageDriver>({
    ...INDEXED_DB,
    identify,
    async acquire(database: string, { durability = "full" }: AcquireOptions = {}): Promise<StorageAcquisition> {
      const path = identify(database);
      const result = await become({ driver: INDEXED_DB.name, database: path });
      if ("peer" in result) return { role: "member", peer: result.peer };
      const ownership = result.owner;
      const pages = new IndexedDbPages(factory(), { name: `stem-sqlite:${path}`, path, durability });
      try {
        return { role: "owner", lease: new IndexedDbLease({ path, ownership, pages, ...(await pages.claim()) }) };
      } catch (error) {
        pages.close();
        await ownership.release();
        throw error;
      }
    },
    async meet(database: string): Promise<StoragePeer | undefined> {
      return meet({ driver: INDEXED_DB.name, database: identify(database) });
    },
  });
}
