import type {
  PeerChannel,
  StorageFacts,
  StorageFileName,
  StorageLease,
  SyncFile,
} from "../../../src/contracts/storage-driver.ts";
import { ClosedError, OwnershipLostError, type StemError, StorageEvictedError } from "../../../src/errors.ts";
import { OpenedFile } from "../opened-file.ts";
import type { IndexedDbPages, PagedFiles } from "./indexeddb-pages.ts";
import { type FileChanges, PagedFile } from "./paged-file.ts";
import { webStorageFailure } from "./web-errors.ts";
import type { WebOwnership } from "./web-ownership.ts";

/** What the driver says of itself; its leases say it too, since another driver may pass databases on to it. */
export const INDEXED_DB: StorageFacts = Object.freeze({
  name: "indexeddb",
  capabilities: Object.freeze({ persistent: true, durableFlush: false, exclusiveAcrossContexts: true }),
});

/** What a lease is made of. */
export interface IndexedDbLeaseParts {
  readonly path: string;
  readonly ownership: WebOwnership;
  readonly pages: IndexedDbPages;
  readonly epoch: number;
  readonly files: PagedFiles;
}

/** The time between two loads of the files: what was opened in it ends with its fault. */
interface Era {
  fault?: StemError;
}

/**
 * Sole ownership of a database whose files are in memory; `durable` stores what has changed. When that fails, memory
 * is ahead of what is stored: the files are loaded again before the failure is told, and what was open is of no use.
 */
export class IndexedDbLease implements StorageLease {
  readonly path: string;
  readonly driver: StorageFacts = INDEXED_DB;
  readonly #parts: IndexedDbLeaseParts;
  #files: PagedFiles;
  #era: Era = {};
  #saving: Promise<void> | undefined;
  #loading: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;

  constructor(parts: IndexedDbLeaseParts) {
    this.path = parts.path;
    this.#parts = parts;
    this.#files = parts.files;
  }

  open(name: StorageFileName): SyncFile {
    this.#check();
    const era = this.#era;
    return new OpenedFile(this.#file(name), () => {
      if (era.fault !== undefined) throw era.fault;
      if (this.#releasing !== undefined) throw new ClosedError("The file");
    });
  }

  exists(name: StorageFileName): boolean {
    this.#check();
    return this.#file(name).size > 0;
  }

  delete(name: StorageFileName): void {
    this.#check();
    this.#file(name).resize(0);
  }

  /** Pages that stay as they are, are not stored again. */
  replace(image: Uint8Array): void {
    this.#check();
    const file = this.#file("db");
    file.write(image, 0);
    file.resize(image.length);
  }

  verify(): void {
    this.#check();
    const { ownership, pages } = this.#parts;
    if (pages.isEvicted) throw new StorageEvictedError(this.path);
    if (!ownership.isInPlace()) throw new OwnershipLostError(this.path, "its lock was taken away");
  }

  accept(onPeer: (channel: PeerChannel) => void): void {
    this.#check();
    this.#parts.ownership.accept(onPeer);
  }

  /** All changes of all files go in one transaction. */
  durable(): Promise<void> | undefined {
    if (this.#era.fault !== undefined) return Promise.reject(this.#era.fault);
    // One after the other: a transaction that follows one that failed must not be stored.
    if (this.#saving !== undefined) return this.#saving.then(() => this.durable());
    const changes = takeChanges(this.#files);
    if (changes.size === 0) return undefined;
    return (this.#saving = this.#save(changes));
  }

  /** Stores what has changed, then gives ownership up in any case. */
  release(): Promise<void> {
    return (this.#releasing ??= this.#release());
  }

  async #save(changes: ReadonlyMap<StorageFileName, FileChanges>): Promise<void> {
    const { pages, epoch } = this.#parts;
    try {
      await pages.save(epoch, changes);
    } catch (error) {
      this.#era.fault = webStorageFailure("IndexedDB write", this.path, error);
      await this.#reload();
      throw error;
    } finally {
      this.#saving = undefined;
    }
  }

  /** Never rejects; as long as it does not work out, the fault stays. */
  #reload(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #load(): Promise<void> {
    const { pages, epoch } = this.#parts;
    try {
      this.#files = await pages.load(epoch);
      this.#era = {};
    } catch (error) {
      this.#era.fault = webStorageFailure("IndexedDB read", this.path, error);
    }
  }

  async #release(): Promise<void> {
    const { ownership, pages, epoch } = this.#parts;
    try {
      // Whoever waits for it was told how it ended.
      await this.#saving?.catch(() => undefined);
      await this.#loading;
      const changes = takeChanges(this.#files);
      if (this.#era.fault === undefined && changes.size > 0) await pages.save(epoch, changes);
    } finally {
      pages.close();
      await ownership.release();
    }
  }

  #check(): void {
    if (this.#releasing !== undefined) throw new ClosedError(`The storage lease on "${this.path}"`);
    const { fault } = this.#era;
    if (fault === undefined) return;
    // Whoever comes again may find that it has passed.
    if (fault.retryable) void this.#reload();
    throw fault;
  }

  #file(name: StorageFileName): PagedFile {
    const file = this.#files.get(name) ?? new PagedFile(this.path);
    this.#files.set(name, file);
    return file;
  }
}

function takeChanges(files: PagedFiles): Map<StorageFileName, FileChanges> {
  const changes = new Map<StorageFileName, FileChanges>();
  for (const [name, file] of files) {
    const change = file.takeChanges();
    if (change !== undefined) changes.set(name, change);
  }
  return changes;
}
