import { afterEach, beforeEach, expect } from "vitest";
import type { StorageDriver, StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";

/** One driver and a database on it that does not exist yet. */
export interface StorageUnderTest {
  readonly driver: StorageDriver;
  readonly database: string;
  /** Other names of the same database. */
  readonly aliases: readonly string[];
  /** Another database on the same driver. */
  readonly otherDatabase: string;
  cleanup(): Promise<void>;
}

/** Makes a fresh, empty storage; called before each test. */
export type OpenStorage = () => Promise<StorageUnderTest>;

/** A storage that is opened before each test of the suite it is called in, with its leases given up after it. */
export class StorageFixture {
  #storage: StorageUnderTest | undefined;
  #leases: StorageLease[] = [];

  constructor(open: OpenStorage) {
    beforeEach(async () => {
      this.#storage = await open();
    });
    afterEach(async () => {
      const leases = this.#leases;
      this.#leases = [];
      for (const lease of leases) await lease.release();
      await this.#storage?.cleanup();
    });
  }

  get storage(): StorageUnderTest {
    if (this.#storage === undefined) throw new Error("The storage is there only inside a test");
    return this.#storage;
  }

  get driver(): StorageDriver {
    return this.storage.driver;
  }

  get database(): string {
    return this.storage.database;
  }

  /** Becomes the owner of a database, which must be free. */
  async own(database: string = this.database): Promise<StorageLease> {
    const acquisition = await this.driver.acquire(database);
    if (acquisition.role !== "owner") return expect.unreachable(`owned by ${acquisition.peer.description}`);
    this.#leases.push(acquisition.lease);
    return acquisition.lease;
  }
}

/** `count` bytes that differ from their neighbours and depend on `seed`. */
export function someBytes(count: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => (index * 31 + (index >> 8) + seed * 7) & 0xff);
}

/** Everything in a file. */
export function readAll(file: SyncFile): Uint8Array {
  const bytes = new Uint8Array(file.size());
  expect(file.read(bytes, 0)).toBe(bytes.length);
  return bytes;
}
