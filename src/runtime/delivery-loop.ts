import type { Consumer, Delivery } from "../contracts/broker.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";
import { ClosedError } from "../errors.ts";
import { createDeferred } from "./deferred.ts";
import { sleep } from "./sleep.ts";

const FIRST_BACKOFF_MS: Milliseconds = 100;
const LONGEST_BACKOFF_MS: Milliseconds = 30_000;

/** What a {@link DeliveryLoop} works with. */
export interface DeliveryLoopParts {
  readonly clock: Clock;
  /** `undefined` when there is nothing to consume until the next {@link DeliveryLoop.refresh}. */
  readonly consume: () => Consumer | undefined;
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
  #isStarted = false;
  #changed = createDeferred<void>();

  constructor(parts: DeliveryLoopParts) {
    this.#parts = parts;
  }

  /** Throws what `consume` throws. */
  start(): void {
    this.#consumer = this.#parts.consume();
    this.#isStarted = true;
    this.#ended = this.#run(this.#consumer);
  }

  /** Asks `consume` anew. Resolves once the broker has got back what the consumer so far had claimed unseen. */
  async refresh(): Promise<void> {
    if (!this.#isStarted || this.#stopping.signal.aborted) return;
    await this.#drop();
  }

  /** Takes nothing more. Resolves once the broker has got back what it had claimed for this loop. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#drop();
    await this.#ended;
  }

  async #run(first: Consumer | undefined): Promise<void> {
    let isFirst = true;
    let backoff = FIRST_BACKOFF_MS;
    while (!this.#stopping.signal.aborted) {
      const changed = this.#changed.promise;
      try {
        const consumer = isFirst ? first : this.#parts.consume();
        isFirst = false;
        this.#consumer = consumer;
        if (consumer === undefined) await changed;
        else await this.#take(consumer, () => (backoff = FIRST_BACKOFF_MS));
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.#parts.onError(error);
        // A closed broker stays closed.
        if (error instanceof ClosedError) return;
        await this.#release(this.#consumer);
        await sleep(this.#parts.clock, backoff, this.#stopping.signal);
        backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS);
      }
    }
  }

  async #take(consumer: Consumer, onTaken: () => void): Promise<void> {
    for (;;) {
      const room = this.#parts.room();
      if (room !== undefined) await room;
      if (this.#isDropped(consumer)) return;
      const { done, value } = await consumer.next();
      if (done === true) {
        if (this.#isDropped(consumer)) return;
        throw new ClosedError("The broker's consumer");
      }
      onTaken();
      this.#parts.onDelivery(value);
    }
  }

  #isDropped(consumer: Consumer): boolean {
    return this.#stopping.signal.aborted || this.#consumer !== consumer;
  }

  async #drop(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#changed.resolve();
    this.#changed = createDeferred();
    await this.#release(consumer);
  }

  async #release(consumer: Consumer | undefined): Promise<void> {
    try {
      await consumer?.return();
    } catch (error) {
      this.#parts.onError(error);
    }
  }
}
