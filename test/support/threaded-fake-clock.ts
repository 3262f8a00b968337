import { Worker } from "node:worker_threads";
import type { EnginePort } from "../../src/contracts/platform.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

/** Moves the clock of an engine's thread; answered with `{ clockMoved: id }`. */
export interface ClockCommand {
  readonly id: number;
  readonly advance?: number;
  readonly jump?: number;
}

interface ClockMoved {
  readonly clockMoved: number;
}

/** A fake clock that engine threads share: when it moves, theirs do first, and it waits for them. */
export class ThreadedFakeClock extends FakeClock {
  readonly #workers = new Set<Worker>();
  #lastId = 0;

  override async advance(ms: number): Promise<void> {
    await this.#tellAll({ advance: ms });
    await super.advance(ms);
  }

  override jump(ms: number): void {
    for (const worker of this.#workers) worker.postMessage({ id: ++this.#lastId, jump: ms } satisfies ClockCommand);
    super.jump(ms);
  }

  /** Starts an engine thread on this clock. */
  async spawn(): Promise<EnginePort> {
    const worker = new Worker(new URL("../../dist/test/support/fake-clock-engine-thread.js", import.meta.url));
    await this.#tell(worker, { advance: this.monotonic() });
    this.#workers.add(worker);
    let fault: unknown;
    worker.on("error", (error) => (fault = error));
    return {
      postMessage: (message) => worker.postMessage(message),
      onMessage: (listener) =>
        void worker.on("message", (message: object) => {
          if (!("clockMoved" in message)) listener(message);
        }),
      onExit: (listener) =>
        void worker.on("exit", () => {
          this.#workers.delete(worker);
          listener(fault);
        }),
      keepAlive: (on) => (on ? worker.ref() : worker.unref()),
      terminate: async () => void (await worker.terminate()),
    };
  }

  async #tellAll(move: Omit<ClockCommand, "id">): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => this.#tell(worker, move)));
  }

  /** Resolves also when the thread ends first. */
  #tell(worker: Worker, move: Omit<ClockCommand, "id">): Promise<void> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const finish = (): void => {
        worker.off("message", receive);
        worker.off("exit", finish);
        resolve();
      };
      const receive = (message: ClockMoved | object): void => {
        if ("clockMoved" in message && message.clockMoved === id) finish();
      };
      worker.on("message", receive);
      worker.on("exit", finish);
      worker.postMessage({ id, ...move } satisfies ClockCommand);
    });
  }
}
