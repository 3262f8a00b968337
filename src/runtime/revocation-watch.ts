import type { Clock } from "../contracts/clock.ts";
import type { RevokeEntry, RevokeStore } from "../contracts/revoke-store.ts";
import type { Milliseconds } from "../core/duration.ts";
import { repeat, type Repetition } from "./repeat.ts";
import { RevocationFeed } from "./revocation-feed.ts";
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
  readonly #feed: RevocationFeed;
  #polling: Repetition | undefined;

  constructor(parts: RevocationWatchParts) {
    this.#parts = parts;
    const { store, namespace, onError } = parts;
    this.#feed = new RevocationFeed({ store, namespace, onError, onEntry: (entry) => this.#apply(entry) });
  }

  start(): void {
    const { clock, pollInterval, onError } = this.#parts;
    this.#feed.ensure();
    this.#polling = repeat(() => this.#poll(), { clock, interval: pollInterval, onError });
  }

  /** Resolves when the present poll has ended. What the store makes of the end of its watch is not waited for. */
  async stop(): Promise<void> {
    this.#feed.stop();
    await this.#polling?.stop();
  }

  /** The revocation of this task that is stored and in force at this moment. */
  async check(taskId: string): Promise<RevokeEntry | undefined> {
    const { store, namespace, clock } = this.#parts;
    const entry = await store.get(namespace, taskId);
    return entry !== null && isInForce(entry, clock.now()) ? entry : undefined;
  }

  #apply(entry: RevokeEntry): void {
    applyRevocation(entry, this.#parts.runs(), this.#parts.clock.now());
  }

  async #poll(): Promise<void> {
    this.#feed.ensure();
    const running = [...this.#parts.runs()].filter((run) => run.phase === "running");
    const entries = await Promise.all(running.map((run) => this.check(run.envelope.id)));
    for (const entry of entries) if (entry !== undefined) this.#apply(entry);
  }
}

/** Whether an entry counts at `now`. One that ends as it is issued never does: it takes back those before it. */
export function isInForce(entry: RevokeEntry, now: number): boolean {
  return entry.expiresAt === undefined || entry.expiresAt.getTime() > Math.max(now, entry.issuedAt.getTime());
}

/** Tells runs of the task of their revocation: those that have not begun, and with `terminate` running ones too. */
export function applyRevocation(entry: RevokeEntry, runs: Iterable<TaskRun>, now: number): void {
  if (!isInForce(entry, now)) return;
  for (const run of runs) {
    if (run.envelope.id !== entry.taskId || run.phase === "settling") continue;
    if (run.phase === "waiting" || entry.terminate) run.revoke(entry);
  }
}
