import type { TaskRun } from "./task-run.ts";

/** Runs a delivery to its end; calls `freeSlot` once its handler has ended. Never rejects. */
export type ExecuteRun = (run: TaskRun, freeSlot: () => void) => Promise<void>;

/** How many: at most `concurrency` handlers at once. Settling what they leave takes no slot. */
export class TaskPool {
  readonly #execute: ExecuteRun;
  readonly #limit: number;
  readonly #waiting: TaskRun[] = [];
  readonly #held = new Set<TaskRun>();
  readonly #onDrained: (() => void)[] = [];
  readonly #onRoom: (() => void)[] = [];
  #freeSlots: number;
  #isPaused = false;

  /** @param limit number of waiting runs from which on the pool has no room. */
  constructor(concurrency: number, limit: number, execute: ExecuteRun) {
    this.#freeSlots = concurrency;
    this.#limit = limit;
    this.#execute = execute;
  }

  /** Runs whose message is not settled: those that run, and those that are being settled. */
  get held(): ReadonlySet<TaskRun> {
    return this.#held;
  }

  /** All runs in the worker's hands, the waiting ones too. */
  get size(): number {
    return this.#held.size + this.#waiting.length;
  }

  /** Starts the run as soon as there is a slot, in the order of arrival. */
  add(run: TaskRun): void {
    this.#waiting.push(run);
    this.#startWaiting();
  }

  /** Starts nothing any more. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Removes and returns the runs that have not started. */
  takeWaiting(): readonly TaskRun[] {
    const runs = this.#waiting.splice(0);
    this.#announce();
    return runs;
  }

  /** Resolves when nothing is in the worker's hands. */
  drained(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#onDrained.push(resolve));
  }

  /** `undefined` when there is room for another run, else a promise of it. */
  room(): Promise<void> | undefined {
    if (this.#waiting.length < this.#limit) return undefined;
    return new Promise((resolve) => void this.#onRoom.push(resolve));
  }

  #startWaiting(): void {
    while (this.#freeSlots > 0 && !this.#isPaused) {
      const run = this.#waiting.shift();
      if (run === undefined) return;
      this.#start(run);
    }
    this.#announceRoom();
  }

  #start(run: TaskRun): void {
    this.#freeSlots -= 1;
    this.#held.add(run);
    let isFreed = false;
    const freeSlot = (): void => {
      if (isFreed) return;
      isFreed = true;
      this.#freeSlots += 1;
      this.#startWaiting();
    };
    void this.#execute(run, freeSlot).finally(() => {
      freeSlot();
      this.#held.delete(run);
      this.#announce();
    });
  }

  #announce(): void {
    this.#announceRoom();
    if (this.size === 0) for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  #announceRoom(): void {
    if (this.#waiting.length < this.#limit) for (const resolve of this.#onRoom.splice(0)) resolve();
  }
}
