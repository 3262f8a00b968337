import type { RevokeEntry, RevokeStore } from "../contracts/revoke-store.ts";

/** What a {@link RevocationFeed} works with. */
export interface RevocationFeedParts {
  readonly store: RevokeStore;
  readonly namespace: string;
  readonly onEntry: (entry: RevokeEntry) => void;
  readonly onError: (error: unknown) => void;
}

/** Follows what is stored in one namespace of a revoke store. A watch that failed is begun again by `ensure`. */
export class RevocationFeed {
  readonly #parts: RevocationFeedParts;
  #entries: AsyncIterableIterator<RevokeEntry> | undefined;
  #isStopped = false;

  constructor(parts: RevocationFeedParts) {
    this.#parts = parts;
  }

  /** Begins to follow unless it does already, or was stopped. */
  ensure(): void {
    if (this.#entries !== undefined || this.#isStopped) return;
    this.#follow().catch((error: unknown) => {
      if (!this.#isStopped) this.#parts.onError(error);
    });
  }

  /** Follows no longer. What the store makes of the end of its watch is not waited for. */
  stop(): void {
    this.#isStopped = true;
    this.#entries?.return?.().catch(this.#parts.onError);
  }

  async #follow(): Promise<void> {
    const entries = this.#parts.store.watch(this.#parts.namespace);
    this.#entries = entries;
    try {
      for await (const entry of entries) this.#parts.onEntry(entry);
    } finally {
      if (this.#entries === entries) this.#entries = undefined;
    }
  }
}
