import { ClosedError, type StemError } from "../errors.ts";

/** Tells one run to stop. The signal is made when a handler first asks for it: few do, and making one is dear. */
export class TaskStop {
  #controller: AbortController | undefined;
  #reason: StemError | undefined;
  #demand: StemError | undefined;
  #endedTaskId: string | undefined;
  #watcher: (() => void) | undefined;

  /** Why the signal fired, if it has. */
  get reason(): StemError | undefined {
    return this.#reason;
  }

  /** What checkpoints throw, if they do. */
  get demanded(): StemError | undefined {
    return this.#demand;
  }

  /** Calls the one `watcher` after each call of `suggest` and `demand`; `undefined` ends that. */
  watch(watcher: (() => void) | undefined): void {
    this.#watcher = watcher;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Fires the signal and nothing else. The first reason stays. */
  suggest(reason: StemError): void {
    if (this.#reason === undefined) {
      this.#reason = reason;
      this.#controller?.abort(reason);
    }
    this.#watcher?.();
  }

  /** Fires the signal, and has checkpoints throw. The first reason stays. */
  demand(reason: StemError): void {
    this.#demand ??= reason;
    this.suggest(reason);
  }

  /** Has checkpoints throw from now on, without firing the signal: the run is over. */
  end(taskId: string): void {
    this.#endedTaskId = taskId;
  }

  /** A checkpoint: throws when the run has to stop, or is over. */
  check(): void {
    if (this.#demand !== undefined) throw this.#demand;
    if (this.#endedTaskId !== undefined) throw new ClosedError(`The run of task "${this.#endedTaskId}"`);
  }
}
