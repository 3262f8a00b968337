import type { BroadcastGap, ConsumeOptions, Consumer, Delivery } from "../../src/contracts/broker.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import { decodeEnvelope } from "../../src/core/envelope.ts";
import { OwnerUnresponsiveError } from "../../src/errors.ts";
import { ChannelSequences } from "./channel-sequences.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { toDelivery } from "./messages.ts";
import type { ConsumerSettings, StoredBurial, StoredDelivery } from "./operations/operation.ts";
import type { DeliveryRef } from "./operations/settle.ts";

/** Broadcasts that wait for a slow reader; beyond it the oldest are dropped and the drop is logged. */
const MAX_WAITING_BROADCASTS = 1_000;

/** Who is told of what is no delivery. */
export type ConsumerListeners = Pick<ConsumeOptions, "onDeadLetter" | "onGap">;

interface Waiter {
  resolve(result: IteratorResult<Delivery, undefined>): void;
  reject(error: unknown): void;
}

/** The deliveries of one subscription, pushed by the owner. Subscribes at the first `next()`. */
export class SqliteConsumer implements Consumer {
  readonly #hub: HubClient;
  readonly #settings: ConsumerSettings;
  readonly #logger: Logger;
  readonly #onEnd: (consumer: SqliteConsumer) => void;
  readonly #listeners: ConsumerListeners;
  #subscription: number | undefined;
  #forgetLoss: (() => void) | undefined;
  #arrived: StoredDelivery[] = [];
  #waiters: Waiter[] = [];
  #failure: unknown;
  #ended: Promise<void> | undefined;
  /** Greatest token that has arrived. */
  #lastToken = 0;
  readonly #channels: ChannelSequences;

  constructor(
    hub: HubClient,
    settings: ConsumerSettings,
    logger: Logger,
    onEnd: (consumer: SqliteConsumer) => void,
    listeners: ConsumerListeners = {},
  ) {
    this.#listeners = listeners;
    this.#hub = hub;
    this.#settings = settings;
    this.#logger = logger;
    this.#onEnd = onEnd;
    this.#channels = new ChannelSequences(settings.channels, (gap) => this.#tellGap(gap));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Delivery, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else if (this.#ended !== undefined) resolve({ done: true, value: undefined });
      else {
        this.#waiters.push({ resolve, reject });
        if (this.#subscription === undefined) this.#subscribe();
        this.#handOut();
      }
    });
  }

  async return(): Promise<IteratorResult<Delivery, undefined>> {
    await (this.#ended ??= this.#end());
    return { done: true, value: undefined };
  }

  #subscribe(): void {
    const subscription = this.#hub.listen((events) =>
      this.#receive(events as readonly (StoredDelivery | StoredBurial)[]),
    );
    this.#subscription = subscription;
    this.#forgetLoss = this.#hub.onLost((error) => this.#fail(error));
    this.#consume(subscription).then(
      () => this.#hub.onOwnerChange(subscription, () => void this.#resume(subscription)),
      (error: unknown) => this.#fail(error),
    );
  }

  async #consume(subscription: number): Promise<void> {
    const sequences = await this.#hub.call("consume", { subscription, ...this.#settings, after: this.#lastToken });
    this.#channels.consumed(sequences);
  }

  /** The same consumer, with all it holds, at a new owner. */
  async #resume(subscription: number): Promise<void> {
    // One that is ending only tells the new owner so.
    if (this.#ended !== undefined) return;
    try {
      await this.#consume(subscription);
    } catch (error) {
      this.#fail(error);
    }
  }

  #receive(events: readonly (StoredDelivery | StoredBurial)[]): void {
    const deliveries = events.filter((event): event is StoredDelivery => !("buried" in event));
    for (const { token } of deliveries) this.#lastToken = Math.max(this.#lastToken, token);
    if (this.#ended !== undefined) {
      // They crossed with the cancellation, or it failed: then the owner still claims for a consumer that has left.
      this.#leave(deliveries).catch((error: unknown) => this.#report(error));
      return;
    }
    for (const event of events) if ("buried" in event) this.#tellBurial(event);
    for (const { channel, sequence } of deliveries) {
      if (channel !== undefined) this.#channels.arrived(channel, sequence ?? 0);
    }
    this.#arrived.push(...deliveries);
    if (this.#arrived.length > MAX_WAITING_BROADCASTS) this.#dropBroadcasts();
    this.#handOut();
  }

  #tellBurial({ buried }: StoredBurial): void {
    try {
      this.#listeners.onDeadLetter?.(decodeEnvelope(buried));
    } catch (error) {
      this.#logger.log("warn", "Nobody could be told of a dead letter.", { error });
    }
  }

  #tellGap(gap: BroadcastGap): void {
    this.#logger.log("warn", "A consumer missed broadcasts.", { ...gap });
    try {
      this.#listeners.onGap?.(gap);
    } catch (error) {
      this.#logger.log("warn", "Nobody could be told of missed broadcasts.", { error });
    }
  }

  #handOut(): void {
    while (this.#waiters.length > 0 && this.#arrived.length > 0) {
      const stored = this.#arrived.shift() as StoredDelivery;
      const delivery = this.#read(stored);
      if (delivery !== undefined) this.#waiters.shift()?.resolve({ done: false, value: delivery });
    }
  }

  /** A message that cannot be read is a dead letter, and the queue goes on. */
  #read(stored: StoredDelivery): Delivery | undefined {
    try {
      return toDelivery(stored);
    } catch (error) {
      const meta = JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
      this.#logger.log("error", "A stored message could not be read.", { seq: stored.seq, error });
      if (isLeased(stored)) {
        const delivery = toRef(stored);
        this.#hub
          .call("deadLetter", { delivery, reason: "undecodable", meta })
          .catch((fault: unknown) => this.#report(fault));
      }
      return undefined;
    }
  }

  #dropBroadcasts(): void {
    let excess = this.#arrived.filter((stored) => !isLeased(stored)).length - MAX_WAITING_BROADCASTS;
    const dropped = new Map<string, number>();
    this.#arrived = this.#arrived.filter(({ channel }) => {
      if (channel === undefined || excess <= 0) return true;
      excess -= 1;
      dropped.set(channel, (dropped.get(channel) ?? 0) + 1);
      return false;
    });
    for (const [channel, missed] of dropped) this.#tellGap({ channel, missed });
  }

  async #end(): Promise<void> {
    const unseen = this.#arrived;
    this.#arrived = [];
    this.#forgetLoss?.();
    try {
      await this.#leave(unseen);
    } finally {
      for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
      this.#onEnd(this);
    }
  }

  /** Tells the owner that this consumer has left; when that fails, it is told again with the next delivery. */
  async #leave(unseen: readonly StoredDelivery[]): Promise<void> {
    const subscription = this.#subscription;
    if (subscription === undefined) return;
    try {
      const given = unseen.filter(isLeased).map(toRef);
      await this.#hub.call("cancel", { subscription, unseen: given, after: this.#lastToken });
    } catch (error) {
      this.#hub.unlisten(subscription, (events) => this.#receive(events as readonly (StoredDelivery | StoredBurial)[]));
      throw error;
    }
    this.#hub.unlisten(subscription);
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#ended = Promise.resolve();
    this.#forgetLoss?.();
    const unseen = this.#arrived;
    this.#arrived = [];
    // A silent owner will run the call when it wakes, and give messages to a consumer that nobody reads.
    if (error instanceof OwnerUnresponsiveError) this.#leave(unseen).catch((fault: unknown) => this.#report(fault));
    else if (this.#subscription !== undefined) this.#hub.unlisten(this.#subscription);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#onEnd(this);
  }

  #report(error: unknown): void {
    this.#logger.log("warn", "A delivery could not be given back; it returns when its lease ends.", { error });
  }
}

function isLeased(stored: StoredDelivery): boolean {
  return stored.channel === undefined;
}

function toRef(stored: StoredDelivery): DeliveryRef {
  return { seq: stored.seq, token: stored.token, id: "", queue: "" };
}
