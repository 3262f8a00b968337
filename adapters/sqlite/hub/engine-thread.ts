import type { Logger } from "../../../src/contracts/logger.ts";
import type { EnginePort } from "../../../src/contracts/platform.ts";
import { reviveError } from "../../../src/error-transfer.ts";
import { EngineError } from "../../../src/errors.ts";
import type { Durability } from "../durability.ts";
import type { FromEngine, ToEngine } from "./engine-messages.ts";
import type { LinkListener, OwnerLink } from "./owner-link.ts";

/** What an engine's thread opens. */
export interface EngineThreadParts {
  readonly database: string;
  readonly durability: Durability;
  readonly session: string;
  readonly logger: Logger;
}

/** A thread that can own one database, seen from the thread that started it. */
export class EngineThread {
  readonly #port: EnginePort;
  readonly #parts: EngineThreadParts;
  #opening: { resolve(isOwner: boolean): void; reject(error: unknown): void } | undefined;
  /** Told what the owner in the thread says, once there is one. */
  #listener: LinkListener | undefined;
  #closed: { resolve(): void; reject(error: unknown): void } | undefined;
  #hasEnded = false;

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

  /** Has the thread make ready for {@link EngineThread.open}. */
  prepare(): void {
    this.#send({ type: "prepare" });
  }

  /** Has the thread become the owner; `undefined` when somebody else is. */
  async open(listener: LinkListener): Promise<OwnerLink | undefined> {
    const { database, durability, session } = this.#parts;
    this.#port.keepAlive(true);
    try {
      const isOwner = await new Promise<boolean>((resolve, reject) => {
        this.#opening = { resolve, reject };
        this.#listener = listener;
        this.#send({ type: "open", database, durability, session });
      });
      return isOwner ? this.#link() : undefined;
    } finally {
      this.#opening = undefined;
      if (!this.#hasEnded) this.#port.keepAlive(false);
    }
  }

  /** Ends a thread that owns nothing. */
  async end(): Promise<void> {
    if (!this.#hasEnded) await this.#port.terminate();
  }

  #link(): OwnerLink {
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
    };
  }

  #onMessage(message: FromEngine): void {
    const { logger, database } = this.#parts;
    switch (message.type) {
      case "batch":
        this.#listener?.receive(message.batch);
        break;
      case "log":
        logger.log(message.level, message.message, { database });
        break;
      case "opened":
      case "taken":
        this.#opening?.resolve(message.type === "opened");
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
    if (this.#opening !== undefined) {
      const finding = "its thread ended while it opened the database";
      this.#opening.reject(new EngineError(finding, { cause: fault, retryable: true }));
    } else if (this.#closed === undefined) this.#listener?.lost(fault, false);
    this.#closed?.resolve();
  }

  #send(message: ToEngine): void {
    this.#port.postMessage(message);
  }
}
