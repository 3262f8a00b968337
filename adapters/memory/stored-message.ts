import type { Delivery } from "../../src/contracts/broker.ts";
import type { Milliseconds } from "../../src/core/duration.ts";
import { decodeEnvelope, type Envelope } from "../../src/core/envelope.ts";
import { queueRoute } from "../../src/core/routing.ts";

/** The right of one consumer to one message. An expired lease stays current until the message is given out again. */
export interface Lease {
  readonly token: number;
  readonly consumerName: string;
  readonly lengthMs: Milliseconds;
  /** On the monotonic clock. */
  endsAt: number;
}

/** A message as it is kept. The envelope is text, so that no object is shared with a caller. */
export interface StoredMessage {
  readonly id: string;
  readonly queue: string;
  readonly text: string;
  readonly priority: number;
  /** Position among messages of equal priority. */
  readonly sequence: number;
  /** Earliest delivery, in milliseconds since the epoch. */
  readonly availableAt: number;
  readonly visibilityTimeout: Milliseconds | undefined;
  /** Since when it would be ready without a lease, in milliseconds since the epoch. */
  readySince: number;
  /** Deliveries of this attempt so far. */
  deliveries: number;
  lease: Lease | undefined;
}

/** Both readings of the clock at one moment. */
export interface Instant {
  readonly now: number;
  readonly monotonic: number;
}

/** Makes the stored form of `envelope`, published `now`, whose encoded text is `text`: not delivered yet, not leased. */
export function toStoredMessage(envelope: Envelope, text: string, sequence: number, now: number): StoredMessage {
  const availableAt = envelope.notBefore?.getTime() ?? 0;
  return {
    id: envelope.id,
    queue: envelope.queue,
    text,
    priority: envelope.priority,
    sequence,
    availableAt,
    readySince: Math.max(availableAt, now),
    visibilityTimeout: envelope.visibilityTimeout,
    deliveries: 0,
    lease: undefined,
  };
}

/** Makes what the consumer sees of a message that was just leased. */
export function toDelivery(message: StoredMessage, lease: Lease, at: Instant): Delivery {
  return {
    envelope: decodeEnvelope(message.text),
    receipt: `${message.id}#${lease.token}`,
    token: lease.token,
    deliveries: message.deliveries,
    leaseExpiresAt: leaseEnd(lease, at),
    leaseMs: lease.lengthMs,
    route: queueRoute(message.queue, { priority: message.priority }),
  };
}

/** When a lease ends, as a date of the wall clock. */
export function leaseEnd(lease: Lease, at: Instant): Date {
  return new Date(at.now + (lease.endsAt - at.monotonic));
}

/** Whether a consumer holds the message: at `endsAt` it does no longer. */
export function isLeased(message: StoredMessage, at: Instant): boolean {
  return message.lease !== undefined && message.lease.endsAt > at.monotonic;
}

/** Whether nothing but a free consumer is missing for a delivery. */
export function isAvailable(message: StoredMessage, at: Instant): boolean {
  return message.availableAt <= at.now && !isLeased(message, at);
}

/** Since when an available message is: milliseconds since the epoch. */
export function readySince(message: StoredMessage, at: Instant): number {
  return message.lease === undefined ? message.readySince : leaseEnd(message.lease, at).getTime();
}

/** Order of delivery: higher priority first, then order of publishing. */
export function isBefore(one: StoredMessage, other: StoredMessage): boolean {
  return one.priority > other.priority || (one.priority === other.priority && one.sequence < other.sequence);
}

/** Milliseconds until time alone makes the message available; 0 when it is so already. */
export function timeUntilAvailable(message: StoredMessage, at: Instant): Milliseconds {
  const lease = message.lease === undefined ? 0 : message.lease.endsAt - at.monotonic;
  return Math.max(0, lease, message.availableAt - at.now);
}
