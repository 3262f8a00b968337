import type {
  Broker,
  BrokerCapabilities,
  ConsumeOptions,
  Consumer,
  DeadLetterEntry,
  DeadLetterPage,
  DeadLetterReplayOptions,
  DeadLetterReplayResult,
  Delivery,
  InflightPage,
  NackOptions,
  PendingPage,
  PublishOptions,
  PublishReceipt,
  QueueSummary,
} from "../../src/contracts/broker.ts";
import type { Timer } from "../../src/contracts/clock.ts";
import type { DeliverySettler } from "../../src/contracts/delivery-settler.ts";
import type { ResultBackend } from "../../src/contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { copyEnvelope, encodeEnvelope, type Envelope } from "../../src/core/envelope.ts";
import { type JsonObject, stringifyJsonWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkDate, checkInteger } from "../../src/core/options.ts";
import { LIMIT_BOUNDS, type PageOptions, resolvePage } from "../../src/core/page-options.ts";
import { resolveSubscription, type RoutingSubscription } from "../../src/core/routing.ts";
import { ClosedError, InvalidOptionError } from "../../src/errors.ts";
import { checkFunction } from "./check-port.ts";
import {
  type InMemoryBrokerOptions,
  type ResolvedInMemoryBrokerOptions,
  resolveInMemoryBrokerOptions,
} from "./in-memory-broker-options.ts";
import { type BrokerNamespace, InMemoryBrokerStore } from "./in-memory-broker-store.ts";
import { toDeadLetterEntry } from "./in-memory-dead-letters.ts";
import { InMemoryDispatcher } from "./in-memory-dispatcher.ts";
import { listInflight, listPending, summarizeQueues } from "./in-memory-inspection.ts";
import { type PublishTarget, resolveOnConflict, resolvePublishTarget } from "./publish-target.ts";
import { repeatEvery } from "./repeat-every.ts";
import { type Instant, isAvailable, isLeased, leaseEnd, type StoredMessage } from "./stored-message.ts";

/** How many finished deliveries a broker remembers, so that a second `ack` is told from a lost lease. */
const MAX_FINISHED = 10_000;

const CAPABILITIES: BrokerCapabilities = Object.freeze({
  supportsDelayedDelivery: true,
  supportsPriorityOrdering: true,
  supportsBroadcastFanout: true,
  supportsQueueInspection: true,
  supportsLeaseExtension: true,
  supportsDeadLettering: true,
  supportsDeadLetterReplay: true,
  supportsMultipleQueues: true,
  persistent: false,
  deliveryGuarantee: "at-least-once",
});

/**
 * The whole broker contract on plain maps, kept as long as the process: for tests, and the oracle other brokers are
 * compared with. Every effect happens at once, before the call returns its promise.
 */
export class InMemoryBroker implements Broker {
  readonly namespace: string;
  readonly capabilities: BrokerCapabilities = CAPABILITIES;
  readonly supportsDelayed: boolean = true;
  readonly supportsPriority: boolean = true;
  readonly #options: ResolvedInMemoryBrokerOptions;
  readonly #state: BrokerNamespace;
  readonly #dispatcher: InMemoryDispatcher;
  readonly #finished = new Set<number>();
  readonly #sweeper: Timer;
  #closed = false;

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option. */
  constructor(options?: InMemoryBrokerOptions) {
    this.#options = resolveInMemoryBrokerOptions(options);
    this.namespace = this.#options.namespace;
    const store = this.#options.store ?? new InMemoryBrokerStore();
    this.#state = store.namespace(this.namespace);
    this.#dispatcher = new InMemoryDispatcher(store, this.#state, this.#options);
    this.#state.listeners.add(this.#dispatcher);
    const { clock, sweeperInterval, logger } = this.#options;
    this.#sweeper = repeatEvery(clock, sweeperInterval, logger, () => this.#maintain());
  }

  async publish(envelope: Envelope, options?: PublishOptions): Promise<PublishReceipt> {
    const [receipt] = await this.publishAll([envelope], options);
    return receipt as PublishReceipt;
  }

  async publishAll(envelopes: readonly Envelope[], options?: PublishOptions): Promise<readonly PublishReceipt[]> {
    this.#checkOpen();
    if (!Array.isArray(envelopes)) throw new InvalidOptionError("envelopes", envelopes, "an array of envelopes");
    const onConflict = resolveOnConflict(options);
    const { maxPayloadBytes } = this.#options;
    const targets = envelopes.map((envelope) => resolvePublishTarget(envelope, options?.routing, maxPayloadBytes));
    // Nothing is stored before every envelope is accepted.
    const accepted = new Map<string, PublishTarget>();
    const receipts = targets.map((target) => this.#state.accept(target, onConflict, accepted, this.#instant()));
    for (const { envelope, text } of accepted.values()) this.#state.put(envelope, text, this.#instant());
    for (const { kind, envelope, text } of targets) {
      if (kind === "broadcast") this.#state.broadcast(envelope.queue, text);
    }
    this.#state.announceChange();
    return receipts;
  }

  consume(subscription: RoutingSubscription, options?: ConsumeOptions): Consumer {
    this.#checkOpen();
    const prefetch = checkInteger("prefetch", options?.prefetch ?? 1, { min: 1, max: LIMIT_BOUNDS.max });
    if (options?.consumerGroup !== undefined) checkName("consumer group", options.consumerGroup);
    const consumerName = checkName("consumer", options?.consumerName ?? this.#options.ids());
    if (options?.onGap !== undefined) checkFunction("onGap", options.onGap);
    const named = { ...resolveSubscription(subscription), consumerName };
    return this.#dispatcher.addConsumer(named, { prefetch, onGap: options?.onGap });
  }

  async ack(delivery: Delivery): Promise<void> {
    this.#checkOpen();
    if (isBroadcast(delivery) || this.#finished.has(delivery.token)) return;
    this.#state.remove(this.#state.current(delivery).message);
    this.#finished.add(delivery.token);
    const [oldest] = this.#finished;
    if (this.#finished.size > MAX_FINISHED && oldest !== undefined) this.#finished.delete(oldest);
    this.#state.announceChange();
  }

  async nack(delivery: Delivery, options?: NackOptions): Promise<void> {
    this.#checkOpen();
    const requeue = checkBoolean("requeue", options?.requeue ?? true);
    const counts = checkBoolean("countsAsDelivery", options?.countsAsDelivery ?? true);
    if (isBroadcast(delivery)) return;
    const { message } = this.#state.current(delivery);
    if (!requeue) this.#state.bury(message, "nack", "{}", this.#instant());
    else {
      message.lease = undefined;
      message.readySince = this.#instant().now;
      if (!counts) message.deliveries -= 1;
      this.#buryExhausted();
    }
    this.#state.announceChange();
  }

  async retry(delivery: Delivery, next: Envelope): Promise<void> {
    this.#checkOpen();
    const { envelope, text } = resolvePublishTarget(next, undefined, this.#options.maxPayloadBytes);
    if (envelope.id !== delivery.envelope.id) {
      throw new InvalidOptionError("next.id", envelope.id, `"${delivery.envelope.id}", the id of the delivery`);
    }
    if (isBroadcast(delivery)) return;
    const { message } = this.#state.current(delivery);
    this.#state.remove(message);
    this.#state.put(envelope, text, this.#instant(), message.sequence);
    this.#state.announceChange();
  }

  async deadLetter(delivery: Delivery, options?: Readonly<{ reason?: string; meta?: JsonObject }>): Promise<void> {
    this.#checkOpen();
    const reason: unknown = options?.reason;
    if (reason !== undefined && typeof reason !== "string") throw new InvalidOptionError("reason", reason, "a string");
    const metaText = stringifyJsonWithin(options?.meta ?? {}, "meta", this.#options.maxPayloadBytes);
    if (isBroadcast(delivery)) return;
    this.#state.bury(this.#state.current(delivery).message, reason, metaText, this.#instant());
    this.#state.announceChange();
  }

  async extendLease(delivery: Delivery, by: Milliseconds): Promise<Date> {
    this.#checkOpen();
    checkDuration("by", by, { min: 1 });
    const at = this.#instant();
    if (isBroadcast(delivery)) return new Date(at.now);
    const { lease } = this.#state.current(delivery);
    lease.endsAt = Math.max(lease.endsAt, at.monotonic + by);
    return leaseEnd(lease, at);
  }

  async purge(queue: string): Promise<number> {
    const at = this.#instant();
    const doomed = this.#messagesOf(queue).filter((message) => !isLeased(message, at));
    for (const message of doomed) this.#state.remove(message);
    return doomed.length;
  }

  async pendingCount(queue: string): Promise<number> {
    this.#buryExhausted();
    const at = this.#instant();
    return this.#messagesOf(queue).filter((message) => isAvailable(message, at)).length;
  }

  async inflightCount(queue: string): Promise<number> {
    const at = this.#instant();
    return this.#messagesOf(queue).filter((message) => isLeased(message, at)).length;
  }

  async listQueues(): Promise<readonly QueueSummary[]> {
    this.#checkOpen();
    return summarizeQueues(this.#state, this.#instant());
  }

  async listPending(queue: string, options?: PageOptions): Promise<PendingPage> {
    return listPending(this.#messagesOf(queue), this.#instant(), options);
  }

  async listInflight(queue: string, options?: PageOptions): Promise<InflightPage> {
    return listInflight(this.#messagesOf(queue), this.#instant(), options);
  }

  async listDeadLetters(queue: string, options?: PageOptions): Promise<DeadLetterPage> {
    this.#checkOpen();
    const { limit, offset } = resolvePage(options);
    const newestFirst = [...this.#state.deadLetters.list(checkName("queue", queue), undefined)].reverse();
    const end = offset + limit;
    const entries = newestFirst.slice(offset, end).map((letter) => toDeadLetterEntry(letter));
    return limit > 0 && end < newestFirst.length ? { entries, nextOffset: end } : { entries };
  }

  async getDeadLetter(queue: string, id: string): Promise<DeadLetterEntry | null> {
    this.#checkOpen();
    const letter = this.#state.deadLetters.get(checkName("queue", queue), checkName("task id", id));
    return letter === undefined ? null : toDeadLetterEntry(letter);
  }

  async replayDeadLetters(queue: string, options?: DeadLetterReplayOptions): Promise<DeadLetterReplayResult> {
    this.#checkOpen();
    checkName("queue", queue);
    const limit = checkInteger("limit", options?.limit ?? 50, LIMIT_BOUNDS);
    const since = options?.since === undefined ? undefined : checkDate("since", options.since);
    const delay = checkDuration("delay", options?.delay ?? 0);
    const dryRun = checkBoolean("dryRun", options?.dryRun ?? false);
    const resetAttempts = checkBoolean("resetAttempts", options?.resetAttempts ?? true);
    const chosen = this.#state.deadLetters
      .list(queue, since)
      .filter((letter) => !this.#state.has(letter.id))
      .slice(0, limit);
    const entries = chosen.map((letter) => toDeadLetterEntry(letter));
    if (dryRun) return { entries, dryRun };
    for (const { envelope } of entries) {
      const again = copyEnvelope(envelope, {
        notBefore: delay === 0 ? null : new Date(this.#instant().now + delay),
        ...(resetAttempts ? { attempt: 0 } : {}),
      });
      this.#state.deadLetters.remove({ queue, id: envelope.id });
      this.#state.put(again, encodeEnvelope(again, Number.POSITIVE_INFINITY), this.#instant());
    }
    this.#state.announceChange();
    return { entries, dryRun };
  }

  async purgeDeadLetters(queue: string, options?: Readonly<{ since?: Date; limit?: number }>): Promise<number> {
    this.#checkOpen();
    checkName("queue", queue);
    const since = options?.since === undefined ? undefined : checkDate("since", options.since);
    const limit = options?.limit === undefined ? undefined : checkInteger("limit", options.limit, LIMIT_BOUNDS);
    const doomed = [...this.#state.deadLetters.list(queue, since)].reverse().slice(0, limit);
    for (const letter of doomed) this.#state.deadLetters.remove(letter);
    return doomed.length;
  }

  settlerFor(_backend: ResultBackend): DeliverySettler | undefined {
    return undefined;
  }

  /** What the sweeper does at each interval: removes old dead letters and buries messages delivered too often. */
  async runMaintenance(): Promise<void> {
    this.#checkOpen();
    this.#maintain();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#state.listeners.delete(this.#dispatcher);
    this.#sweeper.cancel();
    this.#dispatcher.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("Broker");
  }

  #instant(): Instant {
    return { now: this.#options.clock.now(), monotonic: this.#options.clock.monotonic() };
  }

  #messagesOf(queue: string): readonly StoredMessage[] {
    this.#checkOpen();
    return this.#state.messagesOf(checkName("queue", queue));
  }

  #buryExhausted(): void {
    this.#state.buryExhausted(this.#options.maxDeliveries, this.#instant());
  }

  #maintain(): void {
    const { deadLetterRetention } = this.#options;
    this.#buryExhausted();
    if (deadLetterRetention > 0) this.#state.deadLetters.removeUntil(this.#instant().now - deadLetterRetention);
    this.#state.announceChange();
  }
}

function isBroadcast(delivery: Delivery): boolean {
  return delivery.route.type === "broadcast";
}
