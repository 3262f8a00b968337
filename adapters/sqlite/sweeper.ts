import type { Clock, Timer } from "../../src/contracts/clock.ts";
import type { Logger } from "../../src/contracts/logger.ts";

/** Repeats `work` with `intervalMs` between the end of one run and the start of the next; never overlaps itself. */
export class Sweeper {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #work: () => Promise<void>;
  readonly #logger: Logger;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  /** Starts at once; an interval of 0 never runs. Errors of `work` are logged, and the next run comes all the same. */
  constructor(clock: Clock, intervalMs: number, work: () => Promise<void>, logger: Logger) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#work = work;
    this.#logger = logger;
    this.#arm();
  }

  /** No run begins afterwards; waits for the one under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #arm(): void {
    if (this.#stopped || this.#intervalMs <= 0) return;
    this.#timer = this.#clock.schedule(() => {
      this.#running = this.#run();
    }, this.#intervalMs);
  }

  async #run(): Promise<void> {
    try {
      await this.#work();
    } catch (error) {
      this.#logger.log("warn", "A periodic clean-up failed; it is tried again.", { error });
    }
    this.#arm();
  }
}
