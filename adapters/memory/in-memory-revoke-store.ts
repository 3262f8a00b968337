import type { RevokeEntry, RevokeStore } from "../../src/contracts/revoke-store.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkDate, checkInteger } from "../../src/core/options.ts";
import { ClosedError, InvalidOptionError } from "../../src/errors.ts";
import { InMemoryRevokeEntries } from "./in-memory-revoke-entries.ts";
import {
  type InMemoryRevokeStoreOptions,
  resolveInMemoryRevokeStoreOptions,
} from "./in-memory-revoke-store-options.ts";
import { PushIterator } from "./push-iterator.ts";

/** The whole revocation contract on plain maps, kept as long as the process. */
export class InMemoryRevokeStore implements RevokeStore {
  /** Given to entries whose own namespace is blank. */
  readonly namespace: string;
  readonly #entries: InMemoryRevokeEntries;
  readonly #watches = new Set<PushIterator<RevokeEntry>>();
  #closed = false;

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option. */
  constructor(options?: InMemoryRevokeStoreOptions) {
    const { namespace, store } = resolveInMemoryRevokeStoreOptions(options);
    this.namespace = namespace;
    this.#entries = store ?? new InMemoryRevokeEntries();
  }

  async upsertAll(entries: readonly RevokeEntry[]): Promise<readonly RevokeEntry[]> {
    this.#checkOpen();
    if (!Array.isArray(entries)) throw new InvalidOptionError("entries", entries, "an array of revocations");
    // Every entry is checked before the first is stored.
    const checked = entries.map((entry) => checkEntry(entry, this.namespace));
    for (const entry of checked) this.#entries.offer(entry);
    return checked.map((entry) => copyOf(this.#entries.get(entry.namespace, entry.taskId) ?? entry));
  }

  async get(namespace: string, taskId: string): Promise<RevokeEntry | null> {
    this.#checkOpen();
    const entry = this.#entries.get(checkName("namespace", namespace), checkName("task id", taskId));
    return entry === undefined ? null : copyOf(entry);
  }

  async list(namespace: string): Promise<readonly RevokeEntry[]> {
    this.#checkOpen();
    return this.#entries
      .list(checkName("namespace", namespace))
      .map((entry) => copyOf(entry))
      .sort((one, other) => one.version - other.version);
  }

  watch(namespace: string): AsyncIterableIterator<RevokeEntry> {
    this.#checkOpen();
    checkName("namespace", namespace);
    const listener = (entry: RevokeEntry): void => {
      if (entry.namespace === namespace) watch.push(copyOf(entry));
    };
    const watch = new PushIterator<RevokeEntry>((ended) => {
      this.#watches.delete(ended);
      this.#entries.listeners.delete(listener);
    });
    this.#watches.add(watch);
    this.#entries.listeners.add(listener);
    return watch;
  }

  async pruneExpired(namespace: string, clock: Date): Promise<number> {
    this.#checkOpen();
    const now = checkDate("clock", clock).getTime();
    const expired = this.#entries.list(checkName("namespace", namespace)).filter((entry) => isExpired(entry, now));
    for (const entry of expired) this.#entries.remove(entry);
    return expired.length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const watch of [...this.#watches]) watch.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("Revoke store");
  }
}

function isExpired(entry: RevokeEntry, now: number): boolean {
  return entry.expiresAt !== undefined && entry.expiresAt.getTime() <= now;
}

function checkEntry(entry: RevokeEntry, defaultNamespace: string): RevokeEntry {
  if (entry === null || typeof entry !== "object") throw new InvalidOptionError("entry", entry, "a revocation");
  const isBlank = typeof entry.namespace === "string" && entry.namespace.trim() === "";
  const namespace = isBlank ? defaultNamespace : checkName("namespace", entry.namespace);
  checkName("task id", entry.taskId);
  checkInteger("version", entry.version, { min: 0, max: Number.MAX_SAFE_INTEGER });
  checkBoolean("terminate", entry.terminate);
  checkDate("issuedAt", entry.issuedAt);
  if (entry.expiresAt !== undefined) checkDate("expiresAt", entry.expiresAt);
  for (const field of ["reason", "requestedBy"] as const) {
    const value: unknown = entry[field];
    if (value !== undefined && typeof value !== "string") throw new InvalidOptionError(field, value, "a string");
  }
  return { ...copyOf(entry), namespace };
}

function copyOf(entry: RevokeEntry): RevokeEntry {
  return {
    namespace: entry.namespace,
    taskId: entry.taskId,
    version: entry.version,
    issuedAt: new Date(entry.issuedAt),
    terminate: entry.terminate,
    ...(entry.reason === undefined ? {} : { reason: entry.reason }),
    ...(entry.requestedBy === undefined ? {} : { requestedBy: entry.requestedBy }),
    ...(entry.expiresAt === undefined ? {} : { expiresAt: new Date(entry.expiresAt) }),
  };
}
