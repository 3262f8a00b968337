import type { Milliseconds } from "../core/duration.ts";
import type { Envelope } from "../core/envelope.ts";
import type { JsonObject } from "../core/json.ts";
import type { PageOptions } from "../core/page-options.ts";
import type { RoutingInfo, RoutingSubscription } from "../core/routing.ts";
import type { DeliverySettler } from "./delivery-settler.ts";
import type { ResultBackend } from "./result-backend.ts";

/** What a broker can do beyond publish, consume and ack. Suites and callers read this, never a class name. */
export interface BrokerCapabilities {
  readonly supportsDelayedDelivery: boolean;
  readonly supportsPriorityOrdering: boolean;
  readonly supportsBroadcastFanout: boolean;
  readonly supportsQueueInspection: boolean;
  readonly supportsLeaseExtension: boolean;
  readonly supportsDeadLettering: boolean;
  readonly supportsDeadLetterReplay: boolean;
  readonly supportsMultipleQueues: boolean;
  /** Messages survive the process. */
  readonly persistent: boolean;
  readonly deliveryGuarantee: "at-least-once" | "at-most-once";
}

/** One message, leased to one consumer. */
export interface Delivery {
  readonly envelope: Envelope;
  /** Names this delivery to the broker; opaque. */
  readonly receipt: string;
  /** Fencing token: every delivery of a broker has a greater one than all before it. 0 for a broadcast. */
  readonly token: number;
  /** How often this attempt of the message was delivered, this time included. */
  readonly deliveries: number;
  /** When the lease ends unless extended, by the broker's clock. Absent for a broadcast. */
  readonly leaseExpiresAt?: Date;
  /** Length of the lease in milliseconds; what a renewal should ask for. 0 for a broadcast. */
  readonly leaseMs: Milliseconds;
  readonly route: RoutingInfo;
  /** Of a broadcast: its number in its channel, one more than that of the broadcast before it. */
  readonly sequence?: number;
}

/** Broadcasts that a consumer did not get: delivery is at most once, and what is lost is told. */
export interface BroadcastGap {
  readonly channel: string;
  /** How many. */
  readonly missed: number;
}

export interface PublishOptions {
  /** Wins over the queue and priority of the envelope, which is stored with the resolved values. */
  readonly routing?: RoutingInfo;
  /**
   * What to do when the id is stored already with other content: `"reject"` throws `DuplicateIdConflictError`,
   * `"replace-pending"` takes the place of a message that no consumer holds (and rejects when one does).
   *
   * @defaultValue `"reject"`
   */
  readonly onConflict?: "reject" | "replace-pending";
}

/** What became of a published envelope. */
export interface PublishReceipt {
  readonly id: string;
  /** `duplicate`: this very message was stored before, so nothing was done. */
  readonly outcome: "stored" | "duplicate" | "replaced" | "broadcast";
}

export interface ConsumeOptions {
  /**
   * Most deliveries that may be leased and not yet settled at any time: a cap, not a batch size.
   *
   * @defaultValue `1`
   */
  readonly prefetch?: number;
  /** Accepted for brokers with groups; without effect on queues. */
  readonly consumerGroup?: string;
  /** Shown in the stored lease. @defaultValue a new id */
  readonly consumerName?: string;
  /**
   * Told of a message that was about to be delivered here and became a dead letter instead, as it had been delivered
   * too often. At most once per message, and by brokers only whose messages outlive the process.
   */
  readonly onDeadLetter?: (envelope: Envelope) => void;
  /** Told of broadcasts missed since the consumer began: by a change of owner, or by reading too slowly. */
  readonly onGap?: (gap: BroadcastGap) => void;
}

/**
 * A stream of deliveries. Nothing is claimed before the first `next()`. Ending the iteration (`break`, `return()`)
 * gives claimed but unseen deliveries back at once, uncounted; deliveries already seen stay leased.
 */
export interface Consumer extends AsyncIterable<Delivery>, AsyncIterator<Delivery, undefined> {
  return(): Promise<IteratorResult<Delivery, undefined>>;
}

export interface NackOptions {
  /**
   * `true`: visible again at once. `false`: to the dead letters with reason `nack`.
   *
   * @defaultValue `true`
   */
  readonly requeue?: boolean;
  /**
   * `false` takes this delivery back out of the delivery count: it was not the message's fault.
   *
   * @defaultValue `true`
   */
  readonly countsAsDelivery?: boolean;
}

export interface DeadLetterEntry {
  readonly envelope: Envelope;
  readonly reason?: string;
  readonly meta: JsonObject;
  readonly deadAt: Date;
}

export interface DeadLetterPage {
  readonly entries: readonly DeadLetterEntry[];
  /** Present exactly when more entries follow. */
  readonly nextOffset?: number;
}

export interface DeadLetterReplayOptions {
  /** @defaultValue `50` */
  readonly limit?: number;
  /** Only entries with `deadAt` at or after this instant. */
  readonly since?: Date;
  readonly delay?: Milliseconds;
  /** Reports what would be replayed and changes nothing. @defaultValue `false` */
  readonly dryRun?: boolean;
  /** Starts again with attempt 0, so that the retries are there again. @defaultValue `true` */
  readonly resetAttempts?: boolean;
}

export interface DeadLetterReplayResult {
  readonly entries: readonly DeadLetterEntry[];
  readonly dryRun: boolean;
}

/** What one queue holds at one instant. */
export interface QueueSummary {
  readonly queue: string;
  /** Messages that could be delivered now. */
  readonly ready: number;
  readonly delayed: number;
  /** Messages under an unexpired lease. */
  readonly leased: number;
  readonly dead: number;
  /**
   * Since when the message that has been ready longest is ready: it was published, its delay or its lease ended, or it was
   * given back. Absent when nothing is ready, or when that was not stored.
   */
  readonly oldestReadyAt?: Date;
}

/** A message that no consumer holds. */
export interface PendingEntry {
  readonly envelope: Envelope;
  /** When it can be delivered; absent when it could be now. */
  readonly visibleAt?: Date;
}

/** A message under an unexpired lease. */
export interface InflightEntry {
  readonly envelope: Envelope;
  /** As in its {@link Delivery}. */
  readonly token: number;
  readonly deliveries: number;
  readonly leaseExpiresAt: Date;
  readonly leaseMs: Milliseconds;
  readonly consumerName: string;
}

/** A page of messages; it may hold fewer than `limit` although more follow, when they are large. */
export interface PendingPage {
  readonly entries: readonly PendingEntry[];
  /** Present exactly when more entries follow. */
  readonly nextOffset?: number;
}

/** As {@link PendingPage}, of messages that consumers hold. */
export interface InflightPage {
  readonly entries: readonly InflightEntry[];
  /** Present exactly when more entries follow. */
  readonly nextOffset?: number;
}

/**
 * Queues of messages with leases.
 *
 * Promises resolve once the effect is as durable as the broker can make it. `ack`, `nack`, `retry`, `deadLetter` and
 * `extendLease` throw `LeaseLostError`, and change nothing, when the delivery's token is no longer its message's
 * current one; a second `ack` of a finished delivery does nothing. On broadcast deliveries all of them do nothing.
 */
export interface Broker {
  readonly namespace: string;
  readonly capabilities: BrokerCapabilities;
  readonly supportsDelayed: boolean;
  readonly supportsPriority: boolean;

  publish(envelope: Envelope, options?: PublishOptions): Promise<PublishReceipt>;
  /** Publishes all or, when one is refused, none. Receipts come in the order of `envelopes`. */
  publishAll(envelopes: readonly Envelope[], options?: PublishOptions): Promise<readonly PublishReceipt[]>;
  consume(subscription: RoutingSubscription, options?: ConsumeOptions): Consumer;

  ack(delivery: Delivery): Promise<void>;
  nack(delivery: Delivery, options?: NackOptions): Promise<void>;
  /** Puts `next` (same id, a later attempt) in the place of the delivered message, in one transaction. */
  retry(delivery: Delivery, next: Envelope): Promise<void>;
  deadLetter(delivery: Delivery, options?: Readonly<{ reason?: string; meta?: JsonObject }>): Promise<void>;
  /** The lease then ends `by` from now, and never earlier than before. Returns when it ends. */
  extendLease(delivery: Delivery, by: Milliseconds): Promise<Date>;

  /** Deletes the pending and delayed messages of a queue; leased ones and dead letters stay. Returns how many. */
  purge(queue: string): Promise<number>;
  /** Messages that could be delivered now. */
  pendingCount(queue: string): Promise<number | null>;
  /** Messages under an unexpired lease. */
  inflightCount(queue: string): Promise<number | null>;
  /** Every queue of the namespace that holds a message or a dead letter, by name. For looking: it counts them one by one. */
  listQueues(): Promise<readonly QueueSummary[]>;
  /** What no consumer holds: ready messages in the order of delivery, then delayed ones by the time they fall due. */
  listPending(queue: string, options?: PageOptions): Promise<PendingPage>;
  /** What consumers hold: the lease that ends next comes first. */
  listInflight(queue: string, options?: PageOptions): Promise<InflightPage>;

  /** Newest `deadAt` first. `limit` 0 gives an empty page. */
  listDeadLetters(queue: string, options?: PageOptions): Promise<DeadLetterPage>;
  getDeadLetter(queue: string, id: string): Promise<DeadLetterEntry | null>;
  /** Moves dead letters back to their queue, oldest first. An id that is queued again meanwhile is left out. */
  replayDeadLetters(queue: string, options?: DeadLetterReplayOptions): Promise<DeadLetterReplayResult>;
  /** Deletes dead letters, newest first up to `limit`, only those with `deadAt >= since`. Returns how many. */
  purgeDeadLetters(queue: string, options?: Readonly<{ since?: Date; limit?: number }>): Promise<number>;

  /**
   * When broker and backend share one transaction: what ends a delivery in both at once. `undefined` when they do
   * not; then the result is written first and the delivery settled second.
   */
  settlerFor(backend: ResultBackend): DeliverySettler | undefined;
  /** Stops consumers, gives back what they did not hand out, and releases what `open` took. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
