import type { Clock } from "../contracts/clock.ts";
import type { RevokeEntry, RevokeStore } from "../contracts/revoke-store.ts";
import type { Milliseconds } from "../core/duration.ts";
import { repeat, type Repetition } from "./repeat.ts";
import type { TaskRun } from "./task-run.ts";

/** What a {@link RevocationWatch} works with. */
export interface RevocationWatchParts {
  readonly store: RevokeStore;
  readonly namespace: string;
  readonly clock: Clock;
  readonly pollInterval: Milliseconds;
  /** The runs that a revocation may hit. */
  readonly runs: () => Iterable<TaskRun>;
  readonly onError: (error: unknown) => void;
}

/**
 * Brings revocations to the tasks of one worker: asked for right before a task starts, pushed while it runs, and
 * polled in case a push is lost.
 */
export class RevocationWatch {
  readonly #parts: RevocationWatchParts;
  #entries: AsyncIterableIterator<RevokeEntry> | undefined;
  #polling: Repetition | undefined;
  #isStopped = false;

  constructor(parts: RevocationWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, pollInterval, onError } = this.#parts;
    this.#watch();
    this.#polling = repeat(() => this.#poll(), { clock, interval: pollInterval, onError });
  }

  /** Resolves when the present poll has ended. What the store makes of the end of its watch is not waited for. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#entries?.return?.().catch(this.#parts.onError);
    await this.#polling?.stop();
  }

  /** The revocation of this task that is stored and in force at this moment. */
  async check(taskId: string): Promise<RevokeEntry | undefined> {
    const entry = await this.#parts.store.get(this.#parts.namespace, taskId);
    return entry !== null && this.#isInForce(entry) ? entry : undefined;
  }

  #isInForce(entry: RevokeEntry): boolean {
    return entry.expiresAt === undefined || entry.expiresAt.getTime() > this.#parts.clock.now();
  }

  #watch(): void {
    this.#follow().catch((error: unknown) => {
      if (!this.#isStopped) this.#parts.onError(error);
    });
  }

  async #follow(): Promise<void> {
    const entries = this.#parts.store.watch(this.#parts.namespace);
    this.#entries = entries;
    try {
      for await (const entry of entries) this.#apply(entry);
    } finally {
      if (this.#entries === entries) this.#entries = undefined;
    }
  }

  #apply(entry: RevokeEntry): void {
    if (!entry.terminate || !this.#isInForce(entry)) return;
    for (const run of this.#parts.runs()) {
      if (run.envelope.id === entry.taskId && run.phase === "running") run.revoke(entry);
    }
  }

  async #poll(): Promise<void> {
    if (this.#entries === undefined && !this.#isStopped) this.#watch();
    const running = [...this.#parts.runs()].filter((run) => run.phase === "running");
    const entries = await Promise.all(running.map((run) => this.check(run.envelope.id)));
    for (const entry of entries) if (entry !== undefined) this.#apply(entry);
  }
}
