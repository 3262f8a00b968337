import type { StoragePeer } from "../../../../src/contracts/storage-driver.ts";

const PEER: StoragePeer = { description: "another tab", connect: async () => undefined };

/** Stands for the ownership of databases in a browser, where there are no Web Locks. */
export class FakeOwnerships {
  #owners = new Map<string, object>();

  /** Ends all owners without a word. */
  crash(): void {
    this.#owners.clear();
  }

  readonly calls = {
    become: async (place: { readonly driver: string; readonly database: string }) => {
      const key = JSON.stringify(place);
      if (this.#owners.has(key)) return { peer: PEER };
      const id = {};
      this.#owners.set(key, id);
      const isInPlace = (): boolean => this.#owners.get(key) === id;
      return {
        owner: {
          accept: () => undefined,
          isInPlace,
          release: async () => {
            if (isInPlace()) this.#owners.delete(key);
          },
        },
      };
    },
    meet: async (place: { readonly driver: string; readonly database: string }) =>
      this.#owners.has(JSON.stringify(place)) ? PEER : undefined,
  };
}
