import { createDeferred } from "../runtime/deferred.ts";

/** Counts what happens, so that a wait for the next thing misses nothing that came before the wait. */
export class Activity {
  #count = 0;
  #next = createDeferred<void>();

  /** How much has happened so far. */
  get count(): number {
    return this.#count;
  }

  tell(): void {
    this.#count += 1;
    this.#next.resolve();
    this.#next = createDeferred();
  }

  /** Resolves when more has happened than when `count` was read. */
  since(count: number): Promise<void> {
    return count === this.#count ? this.#next.promise : Promise.resolve();
  }
}
