import type { CopyShelf } from "../operations/operation.ts";

/** The copies of the database that members of one owner are reading; they end with the owner. */
export class Copies implements CopyShelf {
  readonly #bySession = new Map<string, Map<number, Uint8Array<ArrayBuffer>>>();

  get bytes(): number {
    let sum = 0;
    for (const copies of this.#bySession.values()) for (const copy of copies.values()) sum += copy.length;
    return sum;
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
