import type {
  AcquireOptions,
  StorageAcquisition,
  StorageDriver,
  StoragePeer,
} from "../../../src/contracts/storage-driver.ts";
import { type StemError, StorageFullError } from "../../../src/errors.ts";
import { type BrowserBackend, BrowserBackends } from "./browser-backends.ts";
import { indexedDbStorage } from "./indexeddb.ts";
import { type OpfsProbe, probeOpfs } from "./opfs-probe.ts";
import { opfsStorage } from "./opfs.ts";

/** Where a database that is being opened is kept. */
export interface BrowserChoice {
  /** The canonical name of the database. */
  readonly database: string;
  readonly backend: BrowserBackend;
  /** Why a new database is not in files of the browser; absent for one that was there. */
  readonly reason?: StemError;
}

/** What {@link browserStorage} is told. */
export interface BrowserStorageOptions {
  /** Called before a database is opened by its new owner. @defaultValue nobody is told */
  readonly onChoice?: (choice: BrowserChoice) => void;
}

/** A driver that can say where its databases are. */
export interface BrowserStorageDriver extends StorageDriver {
  /** The backend of a database; `undefined` when it was never opened in this origin. */
  backendOf(database: string): Promise<BrowserBackend | undefined>;
}

/** What {@link browserDriver} works with. */
export interface BrowserDriverParts extends BrowserStorageOptions {
  readonly factory: () => IDBFactory | undefined;
  readonly probe: () => Promise<OpfsProbe>;
  readonly drivers: Readonly<Record<BrowserBackend, StorageDriver>>;
}

/**
 * Keeps databases in files of the browser where those work, else in IndexedDB. Which it is, is found out once for each
 * database, by whoever makes it, and stays: where files worked before and do not now, `acquire` throws the reason.
 */
export function browserStorage(options: BrowserStorageOptions = {}): BrowserStorageDriver {
  return browserDriver({
    ...options,
    factory: () => (globalThis as { indexedDB?: IDBFactory }).indexedDB,
    probe: probeOpfs,
    drivers: { opfs: opfsStorage(), indexeddb: indexedDbStorage() },
  });
}

/** As {@link browserStorage}, for tests: on other backends. */
export function browserDriver({ factory, probe, drivers, onChoice }: BrowserDriverParts): BrowserStorageDriver {
  const backends = new BrowserBackends(factory);
  const identify = (database: string): string => drivers.opfs.identify(database);

  const choose = async (database: string): Promise<BrowserChoice> => {
    const known = await backends.find(database);
    if (known !== undefined) return { database, backend: known };
    const found = await probe();
    // It is full for now only; the other backend would be full as well.
    if (!found.works && found.reason instanceof StorageFullError) throw found.reason;
    const backend = await backends.settle(database, found.works ? "opfs" : "indexeddb");
    const isNew = !found.works && backend === "indexeddb";
    return { database, backend, ...(isNew ? { reason: found.reason } : {}) };
  };

  return Object.freeze<BrowserStorageDriver>({
    name: "browser",
    capabilities: Object.freeze({ persistent: true, durableFlush: false, exclusiveAcrossContexts: true }),
    identify,
    async acquire(database: string, options?: AcquireOptions): Promise<StorageAcquisition> {
      const choice = await choose(identify(database));
      onChoice?.(choice);
      return drivers[choice.backend].acquire(choice.database, options);
    },
    async meet(database: string): Promise<StoragePeer | undefined> {
      const path = identify(database);
      const known = await backends.find(path);
      return known === undefined ? undefined : drivers[known].meet?.(path);
    },
    backendOf: async (database: string) => backends.find(identify(database)),
  });
}
