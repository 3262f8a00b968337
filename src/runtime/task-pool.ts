import type { TaskRun } from "./task-run.ts";

/** Runs a delivery to its end; calls `freeSlot` once its handler has ended. Never rejects. */
export type ExecuteRun = (run: TaskRun, freeSlot: () => void) => Promise<void>;

/** How many: at most `concurrency` handlers at once. Settling what they leave takes no slot. */
export class TaskPool {
  readonly #execute: ExecuteRun;
  readonly #limit: number;
  readonly #waiting: TaskRun[] = [];
  /** Retries that arrived sooner than the news that the run before was settled. */
  readonly #early = new Set<TaskRun>();
  readonly #held = new Set<TaskRun>();
  /** The latest run of each task in the worker's hands. */
  readonly #latest = new Map<string, { readonly run: TaskRun; readonly ended: Promise<void> }>();
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

  /** All runs in the worker's hands: those of {@link TaskPool.held}, and those that have not started. */
  get runs(): readonly TaskRun[] {
    return [...this.#held, ...this.#waiting, ...this.#early];
  }

  /** How many {@link TaskPool.runs} there are. */
  get size(): number {
    return this.#held.size + this.#waiting.length + this.#early.size;
  }

  /** Starts the run as soon as there is a slot, in the order of arrival, and after what its task's last run tells. */
  add(run: TaskRun): void {
    const before = this.#latest.get(run.envelope.id);
    // One that still runs has lost its lease, or this one could not be here; it may take for ever.
    if (before?.run.phase !== "settling") return this.#enter(run);
    this.#early.add(run);
    void this.#enterAfter(before.ended, run);
  }

  /** Starts nothing any more. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Removes and returns the runs that have not started, or those of them that `isWanted` chooses. */
  takeWaiting(isWanted: (run: TaskRun) => boolean = () => true): readonly TaskRun[] {
    const waiting = this.#waiting.splice(0);
    const runs = [...waiting, ...this.#early].filter(isWanted);
    const taken = new Set(runs);
    this.#waiting.push(...waiting.filter((run) => !taken.has(run)));
    for (const run of taken) this.#early.delete(run);
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

  async #enterAfter(ended: Promise<void>, run: TaskRun): Promise<void> {
    await ended;
    if (this.#early.delete(run)) this.#enter(run);
  }

  #enter(run: TaskRun): void {
    this.#waiting.push(run);
    this.#startWaiting();
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
    const { id } = run.envelope;
    const ended = this.#execute(run, freeSlot).finally(() => {
      freeSlot();
      this.#held.delete(run);
      if (this.#latest.get(id)?.run === run) this.#latest.delete(id);
      this.#announce();
    });
    this.#latest.set(id, { run, ended });
  }

  #announce(): void {
    this.#announceRoom();
    if (this.size === 0) for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  #announceRoom(): void {
    if (this.#waiting.length < this.#limit) for (const resolve of this.#onRoom.splice(0)) resolve();
  }
}
