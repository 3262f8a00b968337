import type { RevokeEntry } from "../../src/contracts/revoke-store.ts";

/** Revocations of all namespaces, for several `InMemoryRevokeStore` handles in one process. */
export class InMemoryRevokeEntries {
  /** Called with each entry that is stored. @internal */
  readonly listeners: Set<(entry: RevokeEntry) => void> = new Set();
  readonly #entries = new Map<string, RevokeEntry>();

  /** Stores `entry` unless one with the same or a greater version is there. @internal */
  offer(entry: RevokeEntry): void {
    const stored = this.get(entry.namespace, entry.taskId);
    if (stored !== undefined && stored.version >= entry.version) return;
    this.#entries.set(keyOf(entry.namespace, entry.taskId), entry);
    for (const listener of [...this.listeners]) listener(entry);
  }

  /** @internal */
  get(namespace: string, taskId: string): RevokeEntry | undefined {
    return this.#entries.get(keyOf(namespace, taskId));
  }

  /** @internal */
  list(namespace: string): readonly RevokeEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.namespace === namespace);
  }

  /** @internal */
  remove(entry: RevokeEntry): void {
    this.#entries.delete(keyOf(entry.namespace, entry.taskId));
  }
}

/** An empty store to share between `InMemoryRevokeStore` handles. */
export function inMemoryRevokeEntries(): InMemoryRevokeEntries {
  return new InMemoryRevokeEntries();
}

function keyOf(namespace: string, taskId: string): string {
  return JSON.stringify([namespace, taskId]);
}
