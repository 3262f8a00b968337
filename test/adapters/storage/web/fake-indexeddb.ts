import { IDBDatabase, IDBFactory, IDBKeyRange, IDBObjectStore } from "fake-indexeddb";
import { type MockInstance, vi } from "vitest";
import { indexedDbDriver } from "../../../../adapters/storage/web/indexeddb.ts";
import type { StorageDriver } from "../../../../src/contracts/storage-driver.ts";
import { FakeOwnerships } from "./fake-ownerships.ts";

Object.assign(globalThis, { IDBKeyRange });

interface ObjectStore {
  readonly transaction: object;
}
type Put = (this: ObjectStore, value: unknown, key: unknown) => EventTarget;

const stores = IDBObjectStore.prototype as { put: Put };
const connections = IDBDatabase.prototype as { transaction: (...parts: readonly unknown[]) => unknown };

/** One browser: what its tabs store, and who of them owns what. */
export class FakeBrowser {
  readonly #ownerships = new FakeOwnerships();
  readonly #factory = new IDBFactory();

  /** A driver of a tab. */
  driver(): StorageDriver {
    return indexedDbDriver({ factory: () => this.#factory as never, ...this.#ownerships.calls });
  }

  /** As another script of the origin does, or the user. */
  async deleteDatabases(): Promise<void> {
    for (const name of await this.databaseNames()) {
      await new Promise((resolve) => this.#factory.deleteDatabase(name).addEventListener("success", resolve));
    }
  }

  async databaseNames(): Promise<readonly string[]> {
    return (await this.#factory.databases()).flatMap(({ name }: { readonly name?: string }) => name ?? []);
  }

  /** Ends all owners without a word. */
  crash(): void {
    this.#ownerships.crash();
  }
}

/** Watches the records that are put. */
export function watchPuts(): MockInstance<Put> {
  return vi.spyOn(stores, "put");
}

/** Watches the transactions that are begun. */
export function watchTransactions(): MockInstance<(...parts: readonly unknown[]) => unknown> {
  return vi.spyOn(connections, "transaction");
}

/** Has every transaction that writes from now on fail as if there was no room, until the returned function is called. */
export function fillStorage(): () => void {
  const put = stores.put;
  const full = vi.spyOn(stores, "put").mockImplementation(function (this: ObjectStore, value, key) {
    const request = put.call(this, value, key);
    const abort: unknown = Reflect.get(this.transaction, "_abort");
    request.addEventListener("success", () => {
      if (typeof abort === "function") abort.call(this.transaction, "QuotaExceededError");
    });
    return request;
  });
  return () => full.mockRestore();
}

/** Refuses one record, the one of this number, counted from 1. */
export function refusePut(number: number): void {
  const put = stores.put;
  let calls = 0;
  vi.spyOn(stores, "put").mockImplementation(function (this: ObjectStore, value, key) {
    if (++calls === number) throw new DOMException("refused", "DataCloneError");
    return put.call(this, value, key);
  });
}
