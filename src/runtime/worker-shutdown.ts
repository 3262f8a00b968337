import type { Clock } from "../contracts/clock.ts";
import type { ShutdownMode } from "./os-signals.ts";
import { createDeferred, type Deferred } from "./deferred.ts";
import { sleep } from "./sleep.ts";
import type { TaskPool } from "./task-pool.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

const URGENCY: Readonly<Record<ShutdownMode, number>> = { warm: 0, soft: 1, hard: 2 };

/** The steps of a shutdown that are the worker's own. None of them rejects. */
export interface WorkerShutdownParts {
  readonly clock: Clock;
  readonly lifecycle: ResolvedWorkerOptions["lifecycle"];
  readonly pool: TaskPool;
  readonly stopClaiming: () => Promise<void>;
  readonly tearDown: () => Promise<void>;
}

/** The way from a running worker to a stopped one; a more urgent mode only makes it shorter. */
export class WorkerShutdown {
  readonly #parts: WorkerShutdownParts;
  readonly #stopping = new AbortController();
  readonly #soft = new AbortController();
  readonly #hard = new AbortController();
  readonly #stopped: Deferred<void> = createDeferred<void>();
  #ended: Promise<void> | undefined;

  constructor(parts: WorkerShutdownParts) {
    this.#parts = parts;
  }

  /** Fires when the worker begins to stop, in whatever mode. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Fires when there is no time left for second tries. */
  get hurry(): AbortSignal {
    return this.#hard.signal;
  }

  /** Resolves when a shutdown has come to its end. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  begin(mode: ShutdownMode): Promise<void> {
    this.#stopping.abort();
    if (URGENCY[mode] >= URGENCY.soft) this.#soft.abort();
    if (URGENCY[mode] >= URGENCY.hard) this.#hard.abort();
    this.#ended ??= this.#run();
    return this.#ended;
  }

  async #run(): Promise<void> {
    const { clock, lifecycle, pool, stopClaiming, tearDown } = this.#parts;
    const drained = new AbortController();
    void stopClaiming()
      .then(() => pool.drained())
      .then(() => drained.abort());
    await fired(AbortSignal.any([drained.signal, this.#soft.signal]));
    if (!drained.signal.aborted) {
      for (const run of pool.held) if (run.phase !== "settling") run.shutDown();
      await sleep(clock, lifecycle.softGracePeriod, AbortSignal.any([drained.signal, this.#hard.signal]));
    }
    if (!drained.signal.aborted) {
      this.#hard.abort();
      for (const run of pool.held) run.cut({ kind: "give-back" });
      await sleep(clock, lifecycle.forceShutdownAfter, drained.signal);
    }
    await tearDown();
    this.#stopped.resolve();
  }
}

function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
