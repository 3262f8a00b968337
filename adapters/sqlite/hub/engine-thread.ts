import type { Clock } from "../../../src/contracts/clock.ts";
import type { Logger } from "../../../src/contracts/logger.ts";
import type { EnginePort } from "../../../src/contracts/platform.ts";
import { reviveError } from "../../../src/error-transfer.ts";
import { EngineError, StemError } from "../../../src/errors.ts";
import type { Milliseconds } from "../../../src/core/duration.ts";
import type { EngineOpening, FromEngine, ToEngine } from "./engine-messages.ts";
import type { HeldLink, LinkListener } from "./owner-link.ts";
import { ThreadWatch } from "./thread-watch.ts";

/** What an engine's thread opens, and how it is watched. */
export interface EngineThreadParts extends EngineOpening {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Silence after which a thread that owns the database is ended as hung; infinite where it never is. */
  readonly engineTimeout: Milliseconds;
}

/** What waits for the thread to have opened a database, or to have made one of a copy. */
interface Answer {
  /** In the error when the thread ends before. */
  readonly doing: string;
  readonly outcome: "not-applied" | "unknown";
  resolve(isOwner: boolean): void;
  reject(error: unknown): void;
}

/** A thread that can own one database, seen from the thread that started it. */
export class EngineThread {
  readonly #port: EnginePort;
  readonly #parts: EngineThreadParts;
  #opening: Answer | undefined;
  /** Told what the owner in the thread says, once there is one. */
  #listener: LinkListener | undefined;
  #closed: { resolve(): void; reject(error: unknown): void } | undefined;
  #watch: ThreadWatch | undefined;
  #hasEnded = false;
  #isHung = false;

  constructor(port: EnginePort, parts: EngineThreadParts) {
    this.#port = port;
    this.#parts = parts;
    port.onExit((fault) => this.#onExit(fault));
    port.onMessage((message) => this.#onMessage(message as FromEngine));
    port.keepAlive(false);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** It was ended because it did not answer any more. */
  get isHung(): boolean {
    return this.#isHung;
  }

  /** Has the thread make ready for {@link EngineThread.open}. */
  prepare(): void {
    this.#send({ type: "prepare" });
  }

  /** Has the thread become the owner; `undefined` when somebody else is. */
  async open(listener: LinkListener): Promise<HeldLink | undefined> {
    const { database, durability, session, context, repeatsCalls } = this.#parts;
    this.#listener = listener;
    const open = { type: "open", database, durability, session, context, repeatsCalls } as const;
    if (!(await this.#ask(open, "opened the database", "not-applied"))) return undefined;
    this.#watchOver();
    return this.#link();
  }

  /** Has the thread make a database of the bytes of another one. */
  async importCopy(bytes: Uint8Array, replace: boolean): Promise<void> {
    const { database } = this.#parts;
    await this.#ask({ type: "import", database, bytes, replace }, "imported a copy", "unknown");
  }

  /** Ends a thread that owns nothing. */
  async end(): Promise<void> {
    if (!this.#hasEnded) await this.#port.terminate();
  }

  async #ask(message: ToEngine, doing: string, outcome: Answer["outcome"]): Promise<boolean> {
    this.#port.keepAlive(true);
    try {
      return await new Promise<boolean>((resolve, reject) => {
        this.#opening = { doing, outcome, resolve, reject };
        this.#send(message);
      });
    } finally {
      this.#opening = undefined;
      if (!this.#hasEnded) this.#port.keepAlive(false);
    }
  }

  #link(): HeldLink {
    let isClosing = false;
    return {
      send: (batch, answered) => this.#send({ type: "calls", batch, answered }),
      waiting: (on) => {
        // The last answers come while the database is being closed: the process must not end on them.
        if (!isClosing && !this.#hasEnded) this.#port.keepAlive(on);
      },
      close: async () => {
        isClosing = true;
        if (this.#hasEnded) return;
        this.#port.keepAlive(true);
        try {
          await new Promise<void>((resolve, reject) => {
            this.#closed = { resolve, reject };
            this.#send({ type: "close" });
          });
        } finally {
          await this.#port.terminate();
        }
      },
      // At once: a browser stops a worker with its page, and what it has not closed by then stays taken.
      letGo: () => this.#port.terminate(),
    };
  }

  /** From now on others depend on it. What opening takes, which is long for a large database, is not counted. */
  #watchOver(): void {
    const { clock, engineTimeout, logger, database } = this.#parts;
    if (engineTimeout === Number.POSITIVE_INFINITY || this.#hasEnded) return;
    this.#watch = new ThreadWatch({
      clock,
      patience: engineTimeout,
      ping: () => this.#send({ type: "ping" }),
      onHung: () => {
        this.#isHung = true;
        logger.log("error", "The engine does not answer any more; it is ended, and started again.", { database });
        void this.#port.terminate();
      },
    });
  }

  #onMessage(message: FromEngine): void {
    const { logger, database } = this.#parts;
    this.#watch?.heard();
    switch (message.type) {
      case "batch":
        this.#listener?.receive(message.batch);
        break;
      case "pong":
        break;
      case "log":
        logger.log(message.level, message.message, { database });
        break;
      case "opened":
      case "taken":
      case "imported":
        this.#opening?.resolve(message.type !== "taken");
        break;
      case "failed":
        this.#opening?.reject(reviveError(message.error));
        break;
      case "closed":
        if (message.error === undefined) this.#closed?.resolve();
        else this.#closed?.reject(reviveError(message.error));
        break;
    }
  }

  #onExit(fault: unknown): void {
    this.#hasEnded = true;
    this.#watch?.stop();
    if (this.#opening !== undefined) {
      const { doing, outcome } = this.#opening;
      const finding = `its thread ended while it ${doing}`;
      const isTyped = fault instanceof StemError;
      this.#opening.reject(isTyped ? fault : new EngineError(finding, { cause: fault, retryable: true, outcome }));
    } else if (this.#closed === undefined) this.#listener?.lost(fault, this.#parts.repeatsCalls);
    this.#closed?.resolve();
  }

  #send(message: ToEngine): void {
    this.#port.postMessage(message);
  }
}
