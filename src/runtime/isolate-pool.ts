import type { IsolateHost } from "../contracts/isolate-host.ts";
import { Isolate } from "./isolate.ts";

/** What an {@link IsolatePool} works with. */
export interface IsolatePoolParts {
  readonly host: IsolateHost;
  /** Most threads that are kept; as many runs at once are the caller's limit. */
  readonly size: number;
  /** Runs after which a thread is ended; without an end when absent. */
  readonly maxRuns: number | undefined;
  /** Takes what a thread's end was refused with. */
  readonly onError: (error: unknown) => void;
}

/** Threads that are started when they are needed, and kept for the runs that follow. */
export class IsolatePool {
  readonly #parts: IsolatePoolParts;
  readonly #all = new Set<Isolate>();
  readonly #idle: Isolate[] = [];
  readonly #ends = new Set<Promise<void>>();

  constructor(parts: IsolatePoolParts) {
    this.#parts = parts;
  }

  /** An idle thread with this memory limit, or a new one. Throws what the host throws. */
  take(maxMemoryMb: number | undefined): Isolate {
    const idle = this.#idle.findLast((isolate) => isolate.maxMemoryMb === maxMemoryMb);
    if (idle !== undefined) {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      return idle;
    }
    const [longestIdle] = this.#idle;
    if (this.#all.size >= this.#parts.size && longestIdle !== undefined) this.end(longestIdle);
    const limits = maxMemoryMb === undefined ? {} : { maxMemoryMb };
    const isolate: Isolate = new Isolate(this.#parts.host.spawn(limits), maxMemoryMb, () => this.#forget(isolate));
    this.#all.add(isolate);
    return isolate;
  }

  /** Takes a thread back after a run. */
  giveBack(isolate: Isolate): void {
    isolate.finish();
    if (!this.#all.has(isolate)) return;
    if (isolate.runs >= (this.#parts.maxRuns ?? Number.POSITIVE_INFINITY)) this.end(isolate);
    else this.#idle.push(isolate);
  }

  /** Ends a thread, whatever it does; another takes its place when one is needed. */
  end(isolate: Isolate): void {
    this.#forget(isolate);
    const end = isolate
      .end()
      .catch((error: unknown) => this.#parts.onError(error))
      .finally(() => this.#ends.delete(end));
    this.#ends.add(end);
  }

  /** Ends all threads; resolves when they have ended. */
  async close(): Promise<void> {
    for (const isolate of this.#all) this.end(isolate);
    await Promise.all(this.#ends);
  }

  #forget(isolate: Isolate): void {
    this.#all.delete(isolate);
    const at = this.#idle.indexOf(isolate);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
