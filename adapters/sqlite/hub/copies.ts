import type { CopyShelf } from "../operations/operation.ts";

/** The copies of the database that members of one owner are reading; they end with the owner. */
export class Copies implements CopyShelf {
  readonly #bySession = new Map<string, Map<number, Uint8Array<ArrayBuffer>>>();

  /** Of copies that the present transaction makes. */
  #announced = 0;

  /** With those that were announced. */
  get bytes(): number {
    let sum = this.#announced;
    for (const copies of this.#bySession.values()) for (const copy of copies.values()) sum += copy.length;
    return sum;
  }

  announce(bytes: number): void {
    this.#announced += bytes;
  }

  /** Another transaction begins: what was announced is there by now, or never will be. */
  settle(): void {
    this.#announced = 0;
  }

  put(session: string, id: number, copy: Uint8Array<ArrayBuffer>): void {
    const copies = this.#bySession.get(session) ?? new Map<number, Uint8Array<ArrayBuffer>>();
    copies.set(id, copy);
    this.#bySession.set(session, copies);
  }

  get(session: string, id: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#bySession.get(session)?.get(id);
  }

  drop(session: string, id: number): void {
    const copies = this.#bySession.get(session);
    copies?.delete(id);
    if (copies?.size === 0) this.#bySession.delete(session);
  }

  /** The session has gone, or has come back and begins anew. */
  dropAll(session: string): void {
    this.#bySession.delete(session);
  }
}
