import type { Consumer, Delivery } from "../contracts/broker.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";
import { ClosedError } from "../errors.ts";
import { sleep } from "./sleep.ts";

const FIRST_BACKOFF_MS: Milliseconds = 100;
const LONGEST_BACKOFF_MS: Milliseconds = 30_000;

/** What a {@link DeliveryLoop} works with. */
export interface DeliveryLoopParts {
  readonly clock: Clock;
  readonly consume: () => Consumer;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly onError: (error: unknown) => void;
  /** Keeps the loop from taking more than there is room for. */
  readonly room: () => Promise<void> | undefined;
}

/** When: takes deliveries as they come, and starts over after a fault, each time after a longer pause. */
export class DeliveryLoop {
  readonly #parts: DeliveryLoopParts;
  readonly #stopping = new AbortController();
  #consumer: Consumer | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: DeliveryLoopParts) {
    this.#parts = parts;
  }

  /** Throws what `consume` throws. */
  start(): void {
    this.#consumer = this.#parts.consume();
    this.#ended = this.#run(this.#consumer);
  }

  /** Takes nothing more. Resolves once the broker has got back what it had claimed for this loop. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#release();
    await this.#ended;
  }

  async #run(first: Consumer): Promise<void> {
    let consumer: Consumer | undefined = first;
    let backoff = FIRST_BACKOFF_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        consumer ??= this.#parts.consume();
        this.#consumer = consumer;
        await this.#take(consumer, () => (backoff = FIRST_BACKOFF_MS));
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.#parts.onError(error);
        // A closed broker stays closed.
        if (error instanceof ClosedError) return;
        await this.#release();
        await sleep(this.#parts.clock, backoff, this.#stopping.signal);
        backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS);
      }
      consumer = undefined;
    }
  }

  async #take(consumer: Consumer, onTaken: () => void): Promise<void> {
    for (;;) {
      const room = this.#parts.room();
      if (room !== undefined) await room;
      if (this.#stopping.signal.aborted) return;
      const { done, value } = await consumer.next();
      if (done === true) {
        if (this.#stopping.signal.aborted) return;
        throw new ClosedError("The broker's consumer");
      }
      onTaken();
      this.#parts.onDelivery(value);
    }
  }

  async #release(): Promise<void> {
    try {
      await this.#consumer?.return();
    } catch (error) {
      this.#parts.onError(error);
    }
  }
}
