import type { BroadcastGap, ConsumeOptions, Consumer } from "../../src/contracts/broker.ts";
import type { Timer } from "../../src/contracts/clock.ts";
import { decodeEnvelope } from "../../src/core/envelope.ts";
import { broadcastRoute } from "../../src/core/routing.ts";
import type { ResolvedInMemoryBrokerOptions } from "./in-memory-broker-options.ts";
import type { BrokerNamespace, InMemoryBrokerStore, StoreListener } from "./in-memory-broker-store.ts";
import { InMemoryConsumer, type NamedSubscription } from "./in-memory-consumer.ts";
import { type Instant, timeUntilAvailable, toDelivery } from "./stored-message.ts";

/** Brings messages and consumers of one broker handle together: at each change, and when time alone makes one due. */
export class InMemoryDispatcher implements StoreListener {
  readonly #store: InMemoryBrokerStore;
  readonly #state: BrokerNamespace;
  readonly #options: ResolvedInMemoryBrokerOptions;
  readonly #consumers = new Set<InMemoryConsumer>();
  #wakeUp: Timer | undefined;

  constructor(store: InMemoryBrokerStore, state: BrokerNamespace, options: ResolvedInMemoryBrokerOptions) {
    this.#store = store;
    this.#state = state;
    this.#options = options;
  }

  addConsumer(
    subscription: NamedSubscription,
    { prefetch, onGap }: Readonly<{ prefetch: number; onGap: ConsumeOptions["onGap"] }>,
  ): Consumer {
    const consumer = new InMemoryConsumer(subscription, prefetch, {
      serve: () => this.onChange(),
      tellGap: (gap) => this.#tellGap(gap, onGap),
      forget: (ended) => {
        this.#consumers.delete(ended);
        this.#scheduleWakeUp();
      },
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  /** Ends every consumer and its timer. */
  stop(): void {
    for (const consumer of [...this.#consumers]) consumer.end();
  }

  /** Gives one message after the other to the consumers in turn, until nothing is left to give or nobody can take. */
  onChange(): void {
    if (!this.#hasWaitingConsumer()) return;
    this.#state.buryExhausted(this.#options.maxDeliveries, this.#instant());
    for (const consumer of this.#consumers) consumer.deliverBroadcasts();
    let served: boolean;
    do {
      served = false;
      for (const consumer of this.#consumers) served = this.#serveOne(consumer) || served;
    } while (served);
    this.#scheduleWakeUp();
  }

  onBroadcast(channel: string, sequence: number, text: string): void {
    const route = broadcastRoute(channel);
    for (const consumer of this.#consumers) {
      if (!consumer.subscription.broadcastChannels.includes(channel)) continue;
      const envelope = decodeEnvelope(text);
      const receipt = `broadcast#${envelope.id}`;
      consumer.takeBroadcast({ envelope, receipt, token: 0, deliveries: 1, leaseMs: 0, route, sequence });
    }
  }

  #tellGap(gap: BroadcastGap, onGap: ConsumeOptions["onGap"]): void {
    const { logger } = this.#options;
    if (onGap === undefined) return logger.log("warn", "A slow consumer lost its oldest broadcasts.", { ...gap });
    try {
      onGap(gap);
    } catch (error) {
      logger.log("error", "A consumer's onGap failed.", { ...gap, error });
    }
  }

  #serveOne(consumer: InMemoryConsumer): boolean {
    const at = this.#instant();
    if (!consumer.canTake(at)) return false;
    const nextToken = (): number => this.#store.nextToken(at.now);
    const held = this.#state.claim(consumer.subscription, nextToken, this.#options.defaultVisibilityTimeout, at);
    if (held !== undefined) consumer.take(held.message, toDelivery(held.message, held.lease, at));
    return held !== undefined;
  }

  /** Sets the one timer to the next instant at which time alone lets a waiting consumer have a message. */
  #scheduleWakeUp(): void {
    this.#wakeUp?.cancel();
    this.#wakeUp = undefined;
    if (!this.#hasWaitingConsumer()) return;
    const at = this.#instant();
    let shortest = Number.POSITIVE_INFINITY;
    for (const message of this.#state.messages()) {
      const delay = timeUntilAvailable(message, at);
      // What is available already waits for a free slot, which another call or the end of a lease makes.
      if (delay > 0) shortest = Math.min(shortest, delay);
    }
    if (shortest === Number.POSITIVE_INFINITY) return;
    // Somebody waits for it: the process must not end before it is there.
    this.#wakeUp = this.#options.clock.schedule(() => this.onChange(), shortest, { keepAlive: true });
  }

  #hasWaitingConsumer(): boolean {
    for (const consumer of this.#consumers) if (consumer.isWaiting) return true;
    return false;
  }

  #instant(): Instant {
    return { now: this.#options.clock.now(), monotonic: this.#options.clock.monotonic() };
  }
}
