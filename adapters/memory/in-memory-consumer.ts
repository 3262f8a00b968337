import type { BroadcastGap, Consumer, Delivery } from "../../src/contracts/broker.ts";
import type { ResolvedSubscription } from "../../src/core/routing.ts";
import { type Instant, isLeased, type StoredMessage } from "./stored-message.ts";

/** Broadcasts that may wait for a consumer that is busy; beyond it the oldest is dropped. */
const MAX_WAITING_BROADCASTS = 1_000;

/** What a consumer asks of its broker. */
export interface ConsumerHost {
  /** A `next()` waits: give it something, now or later. */
  serve(): void;
  /** Broadcasts were dropped; asked right before the next one is handed out. Does not throw. */
  tellGap(gap: BroadcastGap): void;
  /** The consumer takes nothing more. */
  forget(consumer: InMemoryConsumer): void;
}

/** What a consumer takes, and the name that its leases show. */
export interface NamedSubscription extends ResolvedSubscription {
  readonly consumerName: string;
}

/** One subscription of an `InMemoryBroker`. It claims a message only for a `next()` that waits: nothing lies unseen. */
export class InMemoryConsumer implements Consumer {
  readonly subscription: NamedSubscription;
  readonly #prefetch: number;
  readonly #host: ConsumerHost;
  readonly #waiting: ((result: IteratorResult<Delivery, undefined>) => void)[] = [];
  readonly #broadcasts: Delivery[] = [];
  /** How many were dropped, by channel, and not told yet. */
  readonly #dropped = new Map<string, number>();
  readonly #held = new Map<number, StoredMessage>();
  #state: "idle" | "present" | "ended" = "idle";

  constructor(subscription: NamedSubscription, prefetch: number, host: ConsumerHost) {
    this.subscription = subscription;
    this.#prefetch = prefetch;
    this.#host = host;
  }

  next(): Promise<IteratorResult<Delivery, undefined>> {
    if (this.#state === "ended") return Promise.resolve({ done: true, value: undefined });
    this.#state = "present";
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#host.serve();
    });
  }

  return(): Promise<IteratorResult<Delivery, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Whether a `next()` has not been answered. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether a `next()` waits and a lease is free: one that has run out, and is not extended, takes no slot. */
  canTake(at: Instant): boolean {
    if (!this.isWaiting) return false;
    let taken = 0;
    for (const [token, message] of this.#held) {
      if (message.lease?.token !== token) this.#held.delete(token);
      else if (isLeased(message, at)) taken += 1;
    }
    return taken < this.#prefetch;
  }

  /** Answers the oldest `next()` with a message this consumer now has the lease of. */
  take(message: StoredMessage, delivery: Delivery): void {
    this.#held.set(delivery.token, message);
    this.#waiting.shift()?.({ done: false, value: delivery });
  }

  /** Hands over a broadcast, or keeps it for the next `next()`; then the oldest may have to be dropped. */
  takeBroadcast(delivery: Delivery): void {
    if (this.#state !== "present") return;
    this.#broadcasts.push(delivery);
    this.deliverBroadcasts();
    if (this.#broadcasts.length <= MAX_WAITING_BROADCASTS) return;
    const channel = this.#broadcasts.shift()?.route.broadcastChannel ?? "";
    this.#dropped.set(channel, (this.#dropped.get(channel) ?? 0) + 1);
  }

  /** Answers waiting `next()` calls with waiting broadcasts; these take no lease and no slot. */
  deliverBroadcasts(): void {
    while (this.isWaiting) {
      const value = this.#broadcasts.shift();
      if (value === undefined) return;
      this.#tellDropped();
      this.#waiting.shift()?.({ done: false, value });
    }
  }

  #tellDropped(): void {
    const dropped = [...this.#dropped];
    this.#dropped.clear();
    for (const [channel, missed] of dropped) this.#host.tellGap({ channel, missed });
  }

  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
    this.#broadcasts.length = 0;
    this.#host.forget(this);
  }
}
