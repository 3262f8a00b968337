import type { Consumer, Delivery } from "../contracts/broker.ts";
import { createDeferred } from "../runtime/deferred.ts";

type Next = IteratorResult<Delivery, undefined>;
const DONE: Next = Object.freeze({ done: true, value: undefined });

/** What lets the consumers of a worker take messages, or keeps them from it. Closed at first. */
export class Gate {
  readonly #consumers = new Set<GatedConsumer>();
  #isOpen = false;
  #opened = createDeferred<void>();

  /** Consumers take messages from now on. */
  open(): void {
    this.#isOpen = true;
    this.#opened.resolve();
  }

  /** No consumer takes anything from now on. Resolves once the broker has back what no worker has seen. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#opened = createDeferred();
    await Promise.all([...this.#consumers].map((consumer) => consumer.suspend()));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when the gate is opened; it may have been closed again by then. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** A consumer that asks for messages only while this gate is open, each time through a new one of `consume`. */
  consumer(consume: () => Consumer, onDelivery: (delivery: Delivery) => void): Consumer {
    const consumer = new GatedConsumer(this, consume, onDelivery, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }
}

class GatedConsumer implements Consumer {
  readonly #gate: Gate;
  readonly #consume: () => Consumer;
  readonly #onDelivery: (delivery: Delivery) => void;
  readonly #forget: () => void;
  readonly #ended = createDeferred<void>();
  #inner: Consumer | undefined;
  #hasEnded = false;

  constructor(gate: Gate, consume: () => Consumer, onDelivery: (delivery: Delivery) => void, forget: () => void) {
    this.#gate = gate;
    this.#consume = consume;
    this.#onDelivery = onDelivery;
    this.#forget = forget;
  }

  async next(): Promise<Next> {
    for (;;) {
      while (!this.#gate.isOpen && !this.#hasEnded) await Promise.race([this.#gate.opened, this.#ended.promise]);
      if (this.#hasEnded) return DONE;
      const inner = (this.#inner ??= this.#consume());
      const result = await inner.next();
      if (result.done !== true) {
        this.#onDelivery(result.value);
        return result;
      }
      // Ended by the gate, it has a successor; otherwise by the broker.
      if (this.#inner === inner) return DONE;
    }
  }

  async suspend(): Promise<void> {
    const inner = this.#inner;
    this.#inner = undefined;
    await inner?.return();
  }

  async return(): Promise<Next> {
    this.#hasEnded = true;
    this.#ended.resolve();
    this.#forget();
    await this.suspend();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
