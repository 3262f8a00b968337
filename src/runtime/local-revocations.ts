import type { RevokeEntry } from "../contracts/revoke-store.ts";
import { isInForce } from "./revocation-watch.ts";

/** Entries kept; beyond it the oldest are forgotten. */
const MAX_ENTRIES = 10_000;

/** Revocations of a worker without a revoke store: kept as long as the worker, newest version wins. */
export class LocalRevocations {
  readonly #entries = new Map<string, RevokeEntry>();

  /** Newest last. */
  get all(): Iterable<RevokeEntry> {
    return this.#entries.values();
  }

  /** The revocation of this task that is in force at `now`. */
  find(taskId: string, now: number): RevokeEntry | undefined {
    const entry = this.#entries.get(taskId);
    return entry !== undefined && isInForce(entry, now) ? entry : undefined;
  }

  /** Keeps `entry` unless one of the same or a newer version is there; returns what is kept afterwards. */
  offer(entry: RevokeEntry): RevokeEntry {
    const known = this.#entries.get(entry.taskId);
    if (known !== undefined && known.version >= entry.version) return known;
    this.#entries.delete(entry.taskId);
    this.#entries.set(entry.taskId, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }
}
