import type { Clock } from "../contracts/clock.ts";
import type { RevokeEntry, RevokeStore } from "../contracts/revoke-store.ts";
import type { QueueChangeRequest } from "../core/control-payloads.ts";
import type { Milliseconds } from "../core/duration.ts";
import { checkName } from "../core/names.ts";
import { repeat, type Repetition } from "./repeat.ts";
import { retryingFaults } from "./retrying-faults.ts";
import { RevocationFeed } from "./revocation-feed.ts";
import { isInForce } from "./revocation-watch.ts";
import { generateRevokeVersion } from "./revoke-version.ts";

/** What a {@link QueuePauses} works with. */
export interface QueuePausesParts {
  /** Without it, pauses hold for this worker only, as long as it lives. */
  readonly store: RevokeStore | undefined;
  /** The broker's. */
  readonly namespace: string;
  readonly clock: Clock;
  /** How often all pauses are read, beside being told. */
  readonly pollInterval: Milliseconds;
  /** Called once per change, with the entry that made it. */
  readonly onChange: (entry: RevokeEntry, isPaused: boolean) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Which queues are not to be worked on. Each has one entry in the revoke store, under the queue's name in a namespace
 * for pauses: in force means paused, and a newer one that ends as it is issued takes the pause back. So whoever
 * shares the store follows, also those that were not there when it was said.
 */
export class QueuePauses {
  readonly #parts: QueuePausesParts;
  readonly #namespace: string;
  readonly #feed: RevocationFeed | undefined;
  /** The newest entry of each queue. */
  readonly #known = new Map<string, RevokeEntry>();
  readonly #paused = new Map<string, RevokeEntry>();
  #polling: Repetition | undefined;

  /** Throws `InvalidNameError` when the broker's namespace is too long for a namespace beside it. */
  constructor(parts: QueuePausesParts) {
    this.#parts = parts;
    const { store, namespace, onError } = parts;
    this.#namespace = store === undefined ? namespace : checkName("namespace", `${namespace}.paused-queues`);
    const onEntry = (entry: RevokeEntry): void => this.#learn(entry);
    this.#feed =
      store === undefined ? undefined : new RevocationFeed({ store, namespace: this.#namespace, onEntry, onError });
  }

  get isDurable(): boolean {
    return this.#parts.store !== undefined;
  }

  /** The entries of the paused queues. */
  get entries(): readonly RevokeEntry[] {
    return [...this.#paused.values()];
  }

  get names(): readonly string[] {
    return [...this.#paused.keys()];
  }

  isPaused(queue: string): boolean {
    return this.#paused.has(queue);
  }

  /** Reads all pauses and follows them from now on. Throws when the store cannot be read, after a few tries. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.#feed === undefined) return;
    const { clock, pollInterval, onError } = this.#parts;
    // Before the reading, so that nothing stored in between is missed.
    this.#feed.ensure();
    await retryingFaults(() => this.#read(), clock, signal);
    if (signal.aborted) return;
    this.#polling = repeat(() => this.#poll(), { clock, interval: pollInterval, onError });
  }

  /** Pauses or resumes, durably where there is a store. Returns the queues whose state this changed. */
  async change(request: QueueChangeRequest, isPaused: boolean): Promise<readonly string[]> {
    const { store, clock } = this.#parts;
    const before = new Set(this.#paused.keys());
    const { queues, version = this.#nextVersion(queues), issuedAt = new Date(clock.now()) } = request;
    const { reason, requestedBy } = request;
    const entries = queues.map((queue) => ({
      namespace: this.#namespace,
      taskId: queue,
      version,
      issuedAt,
      terminate: false,
      ...(reason === undefined ? {} : { reason }),
      ...(requestedBy === undefined ? {} : { requestedBy }),
      ...(isPaused ? {} : { expiresAt: issuedAt }),
    }));
    const stored = store === undefined ? entries : await store.upsertAll(entries);
    for (const entry of stored) this.#learn(entry);
    return queues.filter((queue) => before.has(queue) !== this.#paused.has(queue));
  }

  /** Resolves when the present poll has ended. */
  async stop(): Promise<void> {
    this.#feed?.stop();
    await this.#polling?.stop();
  }

  /** Above what is known of these queues too, as another process may have made it a moment ago. */
  #nextVersion(queues: readonly string[]): number {
    const known = queues.map((queue) => (this.#known.get(queue)?.version ?? 0) + 1);
    return Math.max(generateRevokeVersion(this.#parts.clock), ...known);
  }

  async #poll(): Promise<void> {
    this.#feed?.ensure();
    await this.#read();
  }

  async #read(): Promise<void> {
    const before = new Map(this.#known);
    const entries = (await this.#parts.store?.list(this.#namespace)) ?? [];
    for (const entry of entries) {
      before.delete(entry.taskId);
      this.#learn(entry);
    }
    // What has gone from the store was taken back, and cleared away before this worker heard of it.
    for (const [queue, entry] of before) {
      if (this.#known.get(queue) !== entry) continue;
      this.#known.delete(queue);
      this.#set(entry, false);
    }
    for (const entry of this.#known.values()) this.#decide(entry);
  }

  #learn(entry: RevokeEntry): void {
    const known = this.#known.get(entry.taskId);
    if (known !== undefined && known.version >= entry.version) return;
    this.#known.set(entry.taskId, entry);
    this.#decide(entry);
  }

  #decide(entry: RevokeEntry): void {
    this.#set(entry, isInForce(entry, this.#parts.clock.now()));
  }

  #set(entry: RevokeEntry, isPaused: boolean): void {
    const wasPaused = this.#paused.has(entry.taskId);
    if (isPaused) this.#paused.set(entry.taskId, entry);
    else this.#paused.delete(entry.taskId);
    if (wasPaused !== isPaused) this.#parts.onChange(entry, isPaused);
  }
}
