import type { StorageFileName } from "../../../src/contracts/storage-driver.ts";
import {
  OwnershipLostError,
  type StemError,
  StorageEvictedError,
  StorageIoError,
  UnsupportedEnvironmentError,
} from "../../../src/errors.ts";
import { type FileChanges, PagedFile } from "./paged-file.ts";
import { webStorageFailure } from "./web-errors.ts";

/** The files of one database. */
export type PagedFiles = Map<StorageFileName, PagedFile>;

const VERSION = 1;
/** Numbers: the owner's epoch, and the size of each file. */
const FACTS = "facts";
/** Bytes, by `[file, index]`. */
const PAGES = "pages";
const EPOCH = "epoch";
const NAMES: readonly StorageFileName[] = ["db", "wal", "journal"];
/** Pages that are read at once. */
const BATCH = 1024;

/** One database in IndexedDB. */
export interface IndexedDbPlace {
  /** Its name there. */
  readonly name: string;
  /** Its name in messages. */
  readonly path: string;
  /** With `relaxed` a stored change need not have reached the disk. */
  readonly durability: "full" | "relaxed";
}

/**
 * The pages of one database in IndexedDB. Whoever owns it has an epoch, and each transaction that writes checks it: a
 * context that owned the database before cannot change it, whatever became of its lock.
 */
export class IndexedDbPages {
  readonly #factory: IDBFactory | undefined;
  readonly #name: string;
  readonly #path: string;
  readonly #durability: IDBTransactionDurability;
  #connection: IDBDatabase | undefined;
  #isEvicted = false;

  /** Touches nothing. */
  constructor(factory: IDBFactory | undefined, { name, path, durability }: IndexedDbPlace) {
    this.#factory = factory;
    this.#name = name;
    this.#path = path;
    this.#durability = durability === "full" ? "strict" : "relaxed";
  }

  /** The data of the site were removed, or this database was, while it was open. */
  get isEvicted(): boolean {
    return this.#isEvicted;
  }

  /** Takes the next epoch, so that all earlier ones can write no more, and reads the files as they are then. */
  async claim(): Promise<{ readonly epoch: number; readonly files: PagedFiles }> {
    const connection = await this.#connect(true);
    return this.#run("claim", async () => {
      const transaction = connection.transaction([FACTS, PAGES], "readwrite", { durability: "strict" });
      const ended = endOf(transaction);
      ended.catch(() => undefined);
      const facts = transaction.objectStore(FACTS);
      const last = (await resultOf(facts.get(EPOCH))) as number | undefined;
      const epoch = (last ?? 0) + 1;
      facts.put(epoch, EPOCH);
      const files = await this.#read(transaction);
      await ended;
      return { epoch, files };
    });
  }

  /** Reads the files again; throws `OwnershipLostError` when `epoch` is over. */
  async load(epoch: number): Promise<PagedFiles> {
    const connection = await this.#connect(false);
    return this.#run("read", async () => {
      const transaction = connection.transaction([FACTS, PAGES], "readonly");
      const found: unknown = await resultOf(transaction.objectStore(FACTS).get(EPOCH));
      if (found !== epoch) throw this.#overruled(found);
      return this.#read(transaction);
    });
  }

  /**
   * Stores all changes in one transaction, taken as they are at the time of the call; resolves once they are stored.
   * After a rejection none of them is, unless the connection itself was lost. Throws `OwnershipLostError` when
   * `epoch` is over.
   */
  save(epoch: number, changes: ReadonlyMap<StorageFileName, FileChanges>): Promise<void> {
    let overruled: StemError | undefined;
    return this.#run("write", async () => {
      const connection = this.#connection;
      if (this.#isEvicted) throw new StorageEvictedError(this.#path);
      if (connection === undefined) throw new StorageIoError("write", this.#path, "InvalidStateError");
      const transaction = connection.transaction([FACTS, PAGES], "readwrite", { durability: this.#durability });
      const ended = endOf(transaction);
      const [facts, pages] = [transaction.objectStore(FACTS), transaction.objectStore(PAGES)];
      const fence = facts.get(EPOCH);
      fence.addEventListener("success", () => {
        if (fence.result === epoch) return;
        overruled = this.#overruled(fence.result);
        // Ends all that was asked for below: nothing of it is stored.
        transaction.abort();
      });
      try {
        for (const [name, change] of changes) putChanges(facts, pages, name, change);
      } catch (error) {
        // What was asked for before it must not be stored alone.
        transaction.abort();
        await ended.catch(() => undefined);
        throw error;
      }
      await ended.catch((error: unknown) => {
        throw overruled ?? (this.#isEvicted ? new StorageEvictedError(this.#path) : error);
      });
    });
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #read(transaction: IDBTransaction): Promise<PagedFiles> {
    const files: PagedFiles = new Map();
    for (const name of NAMES) {
      const size = (await resultOf(transaction.objectStore(FACTS).get(name))) as number | undefined;
      const pages = new Map<number, Uint8Array<ArrayBuffer>>();
      const store = transaction.objectStore(PAGES);
      let range = IDBKeyRange.bound([name], [name, []]);
      for (let count = BATCH; count === BATCH;) {
        const [keys, values] = await Promise.all([
          resultOf(store.getAllKeys(range, BATCH)),
          resultOf(store.getAll(range, BATCH)),
        ]);
        for (const [at, key] of keys.entries()) pages.set(indexOf(key), values[at] as Uint8Array<ArrayBuffer>);
        count = keys.length;
        if (count > 0) range = IDBKeyRange.bound(keys.at(-1), [name, []], true);
      }
      files.set(name, new PagedFile(this.#path, size ?? 0, pages));
    }
    return files;
  }

  /** `create`: a database that is not there is made; without it, it was evicted. */
  async #connect(create: boolean): Promise<IDBDatabase> {
    if (this.#isEvicted) throw new StorageEvictedError(this.#path);
    if (this.#connection !== undefined) return this.#connection;
    const factory = this.#factory;
    if (factory === undefined) throw new UnsupportedEnvironmentError("IndexedDB");
    const connection = await this.#run("open", async () => {
      const opening = factory.open(this.#name, VERSION);
      opening.addEventListener("upgradeneeded", () => {
        if (!create) {
          this.#isEvicted = true;
          opening.transaction?.abort();
          return;
        }
        opening.result.createObjectStore(FACTS);
        opening.result.createObjectStore(PAGES);
      });
      return resultOf(opening).catch((error: unknown) => {
        throw this.#isEvicted ? new StorageEvictedError(this.#path) : error;
      });
    });
    // The browser closes it when the data of the site are removed, and for faults of its own.
    connection.addEventListener("close", () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    // Somebody of this origin deletes the database, and waits for those who have it open.
    connection.addEventListener("versionchange", () => {
      this.#isEvicted = true;
      this.close();
    });
    this.#connection = connection;
    return connection;
  }

  #overruled(found: unknown): StemError {
    if (found === undefined) return new StorageEvictedError(this.#path);
    return new OwnershipLostError(this.#path, "another tab or worker has taken it over");
  }

  async #run<T>(call: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw webStorageFailure(`IndexedDB ${call}`, this.#path, error);
    }
  }
}

function putChanges(facts: IDBObjectStore, pages: IDBObjectStore, name: StorageFileName, change: FileChanges): void {
  facts.put(change.size, name);
  if (change.cutAt !== undefined) pages.delete(IDBKeyRange.bound([name, change.cutAt], [name, []]));
  for (const [index, bytes] of change.pages) pages.put(bytes, [name, index]);
}

function indexOf(key: IDBValidKey): number {
  return (key as [StorageFileName, number])[1];
}

/** The result of a request, once it is there. */
export function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

/** Resolves once the transaction is stored, and rejects once nothing of it is. */
export function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
}
