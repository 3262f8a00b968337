import type { Delivery, PublishReceipt } from "../../src/contracts/broker.ts";
import type { Milliseconds } from "../../src/core/duration.ts";
import { decodeEnvelope, type Envelope, isSameMessage } from "../../src/core/envelope.ts";
import { DuplicateIdConflictError, LeaseLostError } from "../../src/errors.ts";
import { InMemoryDeadLetters } from "./in-memory-dead-letters.ts";
import type { PublishTarget } from "./publish-target.ts";
import {
  type Instant,
  isAvailable,
  isBefore,
  isLeased,
  type Lease,
  type StoredMessage,
  toStoredMessage,
} from "./stored-message.ts";

/** What a broker handle is told about its namespace. */
export interface StoreListener {
  /** A message may have become available, or a slot free. */
  onChange(): void;
  onBroadcast(channel: string, sequence: number, text: string): void;
}

/** A message and the lease that a delivery holds on it. */
export interface HeldMessage {
  readonly message: StoredMessage;
  readonly lease: Lease;
}

/** Everything that is stored in one namespace, and the rules by which it changes. */
export class BrokerNamespace {
  readonly deadLetters: InMemoryDeadLetters = new InMemoryDeadLetters();
  readonly listeners: Set<StoreListener> = new Set();
  readonly #messages = new Map<string, StoredMessage>();
  /** The number of the last broadcast of each channel. */
  readonly #lastBroadcast = new Map<string, number>();
  #lastSequence = 0;

  messages(): Iterable<StoredMessage> {
    return this.#messages.values();
  }

  has(id: string): boolean {
    return this.#messages.has(id);
  }

  messagesOf(queue: string): readonly StoredMessage[] {
    return [...this.#messages.values()].filter((message) => message.queue === queue);
  }

  /**
   * Says what publishing `target` does, and adds it to `accepted` when it is to be stored. Nothing is stored yet:
   * `accepted` holds what the same call accepted before. Throws `DuplicateIdConflictError`.
   */
  accept(
    target: PublishTarget,
    onConflict: "reject" | "replace-pending",
    accepted: Map<string, PublishTarget>,
    at: Instant,
  ): PublishReceipt {
    const { id } = target.envelope;
    if (target.kind === "broadcast") return { id, outcome: "broadcast" };
    const stored = this.#messages.get(id);
    const text = accepted.get(id)?.text ?? stored?.text;
    if (text === undefined) {
      accepted.set(id, target);
      return { id, outcome: "stored" };
    }
    const present = decodeEnvelope(text);
    if (isSameMessage(present, target.envelope)) return { id, outcome: "duplicate" };
    const isHeld = stored !== undefined && isLeased(stored, at);
    if (onConflict === "reject" || isHeld) throw new DuplicateIdConflictError(id, present.queue);
    accepted.set(id, target);
    return { id, outcome: "replaced" };
  }

  /** Stores a message under its id, at the end of the line or at the place of `sequence`. */
  put(envelope: Envelope, text: string, at: Instant, sequence?: number): void {
    this.#lastSequence += 1;
    this.#messages.set(envelope.id, toStoredMessage(envelope, text, sequence ?? this.#lastSequence, at.now));
  }

  remove(message: StoredMessage): void {
    message.lease = undefined;
    this.#messages.delete(message.id);
  }

  /** The message whose current lease is that of `delivery`, expired or not; throws `LeaseLostError` without one. */
  current(delivery: Delivery): HeldMessage {
    const { id, queue } = delivery.envelope;
    const message = this.#messages.get(id);
    if (message?.lease === undefined || message.lease.token !== delivery.token) throw new LeaseLostError(id, queue);
    return { message, lease: message.lease };
  }

  /** Leases the first available message of `queues` under a new token; `undefined` when there is none. */
  claim(
    { queues, consumerName }: Readonly<{ queues: readonly string[]; consumerName: string }>,
    nextToken: () => number,
    defaultLeaseMs: Milliseconds,
    at: Instant,
  ): HeldMessage | undefined {
    let message: StoredMessage | undefined;
    for (const candidate of this.#messages.values()) {
      if (!queues.includes(candidate.queue) || !isAvailable(candidate, at)) continue;
      if (message === undefined || isBefore(candidate, message)) message = candidate;
    }
    if (message === undefined) return undefined;
    const lengthMs = message.visibilityTimeout ?? defaultLeaseMs;
    message.deliveries += 1;
    message.lease = { token: nextToken(), consumerName, lengthMs, endsAt: at.monotonic + lengthMs };
    return { message, lease: message.lease };
  }

  /** Moves a message to the dead letters. */
  bury(message: StoredMessage, reason: string | undefined, metaText: string, at: Instant): void {
    this.remove(message);
    const { id, queue, text } = message;
    this.deadLetters.add({ id, queue, text, reason, metaText, deadAt: at.now });
  }

  /** Buries what was delivered `maxDeliveries` times and is held by nobody. */
  buryExhausted(maxDeliveries: number, at: Instant): void {
    for (const message of this.#messages.values()) {
      if (message.deliveries < maxDeliveries || isLeased(message, at)) continue;
      this.bury(message, "max-deliveries-exceeded", JSON.stringify({ deliveries: message.deliveries }), at);
    }
  }

  /** Gives a broadcast its number in the channel and tells every broker handle of it. */
  broadcast(channel: string, text: string): void {
    const sequence = (this.#lastBroadcast.get(channel) ?? 0) + 1;
    this.#lastBroadcast.set(channel, sequence);
    for (const listener of [...this.listeners]) listener.onBroadcast(channel, sequence, text);
  }

  announceChange(): void {
    for (const listener of [...this.listeners]) listener.onChange();
  }
}

/** Messages of all namespaces, for several `InMemoryBroker` handles in one process. */
export class InMemoryBrokerStore {
  readonly #namespaces = new Map<string, BrokerNamespace>();
  #lastToken = 0;

  /** @internal */
  namespace(name: string): BrokerNamespace {
    const known = this.#namespaces.get(name) ?? new BrokerNamespace();
    this.#namespaces.set(name, known);
    return known;
  }

  /** A token above all earlier ones; the time in it keeps it above those of an earlier process too. @internal */
  nextToken(now: number): number {
    this.#lastToken = Math.max(this.#lastToken + 1, Math.floor(now) * 1024);
    return this.#lastToken;
  }
}

/** An empty store to share between `InMemoryBroker` handles. */
export function inMemoryBrokerStore(): InMemoryBrokerStore {
  return new InMemoryBrokerStore();
}
