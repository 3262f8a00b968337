import { UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { endOf, resultOf } from "./indexeddb-pages.ts";
import { webStorageFailure } from "./web-errors.ts";

/** Where the bytes of a database are: in files of the browser, or in IndexedDB. */
export type BrowserBackend = "opfs" | "indexeddb";

const NAME = "stem-sqlite";
const BACKENDS = "backends";

/**
 * Which backend each database of this origin was made in. It is written before the database, and never changes: a
 * database must not be made again, and empty, in the other backend because this one fails for a while.
 */
export class BrowserBackends {
  readonly #factory: () => IDBFactory | undefined;

  constructor(factory: () => IDBFactory | undefined) {
    this.#factory = factory;
  }

  /** The backend of a database; `undefined` when it was never opened. */
  find(database: string): Promise<BrowserBackend | undefined> {
    return this.#with(database, async (connection) => {
      const store = connection.transaction(BACKENDS, "readonly").objectStore(BACKENDS);
      return (await resultOf(store.get(database))) as BrowserBackend | undefined;
    });
  }

  /** Writes down a backend unless another one is there already; returns the one that counts. */
  settle(database: string, backend: BrowserBackend): Promise<BrowserBackend> {
    return this.#with(database, async (connection) => {
      const transaction = connection.transaction(BACKENDS, "readwrite", { durability: "strict" });
      const ended = endOf(transaction);
      ended.catch(() => undefined);
      const store = transaction.objectStore(BACKENDS);
      const found = (await resultOf(store.get(database))) as BrowserBackend | undefined;
      if (found === undefined) store.put(backend, database);
      await ended;
      return found ?? backend;
    });
  }

  async #with<T>(database: string, work: (connection: IDBDatabase) => Promise<T>): Promise<T> {
    const factory = this.#factory();
    if (factory === undefined) throw new UnsupportedEnvironmentError("IndexedDB");
    let connection: IDBDatabase | undefined;
    try {
      const opening = factory.open(NAME, 1);
      opening.addEventListener("upgradeneeded", () => void opening.result.createObjectStore(BACKENDS));
      connection = await resultOf(opening);
      return await work(connection);
    } catch (error) {
      throw webStorageFailure("IndexedDB lookup", database, error);
    } finally {
      connection?.close();
    }
  }
}
