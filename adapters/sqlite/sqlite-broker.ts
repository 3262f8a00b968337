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
import type { DatabaseHealth } from "../../src/contracts/database-health.ts";
import type { DeliverySettler } from "../../src/contracts/delivery-settler.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import type { ResultBackend } from "../../src/contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { checkEnvelope, type Envelope } from "../../src/core/envelope.ts";
import { type JsonObject, stringifyJsonWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkInteger, checkOneOf, mergeOptions } from "../../src/core/options.ts";
import type { PageOptions } from "../../src/core/page-options.ts";
import { checkRoute, resolveSubscription, type RoutingSubscription } from "../../src/core/routing.ts";
import { ClosedError, InvalidOptionError } from "../../src/errors.ts";
import { generateEnvelopeId } from "../../src/ports/create-envelope.ts";
import { splitConnectionOptions } from "./connection-options.ts";
import { readHealth } from "./database-health.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { checkDelivery, routed, toDeliveryRef } from "./messages.ts";
import { type HubHandle, openHub } from "./open-hub.ts";
import type { DeliveryRef } from "./operations/settle.ts";
import { toStoredMessage } from "./operations/stored-message.ts";
import { parseDatabaseUrl } from "./parse-database-url.ts";
import {
  resolveSqliteBrokerOptions,
  type ResolvedSqliteBrokerOptions,
  type SqliteBrokerOptions,
} from "./sqlite-broker-options.ts";
import { type ConsumerListeners, SqliteConsumer } from "./sqlite-consumer.ts";
import { SqliteDeadLetters } from "./sqlite-dead-letters.ts";
import { SqliteInspection } from "./sqlite-inspection.ts";
import { createSqliteSettler } from "./sqlite-settler.ts";
import { Sweeper } from "./sweeper.ts";

const CAPABILITIES: BrokerCapabilities = {
  supportsDelayedDelivery: true,
  supportsPriorityOrdering: true,
  supportsBroadcastFanout: true,
  supportsQueueInspection: true,
  supportsLeaseExtension: true,
  supportsDeadLettering: true,
  supportsDeadLetterReplay: true,
  supportsMultipleQueues: true,
  persistent: true,
  deliveryGuarantee: "at-least-once",
};

const PUBLISH_DEFAULTS = { routing: undefined, onConflict: "reject" } as const satisfies Record<
  keyof PublishOptions,
  unknown
>;
const CONSUME_DEFAULTS: Readonly<Record<keyof ConsumeOptions, unknown>> = {
  prefetch: 1,
  consumerGroup: undefined,
  consumerName: undefined,
  onDeadLetter: undefined,
  onGap: undefined,
};
const NACK_DEFAULTS: Required<NackOptions> = { requeue: true, countsAsDelivery: true };
const MAX_PREFETCH = 10_000;
/** UTF-8 has no form for half a character. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Queues in a SQLite file. Every promise resolves once its effect is committed and, with `durability: "full"`, safe
 * from a power cut.
 */
export class SqliteBroker implements Broker {
  readonly capabilities: BrokerCapabilities;
  readonly supportsDelayed = true;
  readonly supportsPriority = true;
  readonly namespace: string;
  readonly #handle: HubHandle;
  readonly #options: ResolvedSqliteBrokerOptions;
  readonly #logger: Logger;
  readonly #deadLetters: SqliteDeadLetters;
  readonly #inspection: SqliteInspection;
  readonly #sweeper: Sweeper;
  readonly #consumers = new Set<SqliteConsumer>();
  #closing: Promise<void> | undefined;

  private constructor(handle: HubHandle, options: ResolvedSqliteBrokerOptions, logger: Logger, persistent: boolean) {
    this.#handle = handle;
    this.#options = options;
    this.#logger = logger;
    this.namespace = options.namespace;
    this.capabilities = { ...CAPABILITIES, persistent };
    this.#deadLetters = new SqliteDeadLetters(handle.hub, options);
    this.#inspection = new SqliteInspection(handle.hub, options.namespace);
    this.#sweeper = new Sweeper(handle.clock, options.sweeperInterval, () => this.runMaintenance(), logger);
  }

  /**
   * Opens, and creates where absent, the queue in `file`: a path on Node, or `":memory:"`. Brings its schema up to
   * date. Throws `DatabaseBusyError`, `NotAQueueDatabaseError`, `SchemaTooNewError`, `DatabaseCorruptError`,
   * `StorageReadOnlyError` and their like, leaving the file as it was; where another process owns the file, what that has
   * against this one (`VersionMismatchError`, `InvalidOptionError` for other durability), and `OwnerUnresponsiveError`.
   */
  static async open(file: string, options?: SqliteBrokerOptions): Promise<SqliteBroker> {
    const { connection, own } = splitConnectionOptions(options);
    const resolved = resolveSqliteBrokerOptions(own);
    const handle = await openHub(file, connection);
    return new SqliteBroker(handle, resolved, connection.logger, file !== ":memory:");
  }

  /** Like {@link SqliteBroker.open}, for `sqlite:` and `file:` URLs and plain paths. */
  static async connect(url: string, options?: SqliteBrokerOptions): Promise<SqliteBroker> {
    return SqliteBroker.open(parseDatabaseUrl(url), options);
  }

  async publish(envelope: Envelope, options?: PublishOptions): Promise<PublishReceipt> {
    const [receipt] = await this.#publish([envelope], options, "publish");
    return receipt as PublishReceipt;
  }

  async publishAll(envelopes: readonly Envelope[], options?: PublishOptions): Promise<readonly PublishReceipt[]> {
    if (!Array.isArray(envelopes)) throw new InvalidOptionError("envelopes", envelopes, "an array");
    return envelopes.length === 0 ? [] : this.#publish(envelopes, options, "publishAll");
  }

  async #publish(
    envelopes: readonly Envelope[],
    options: PublishOptions | undefined,
    operation: "publish" | "publishAll",
  ): Promise<readonly PublishReceipt[]> {
    const hub = this.#hub();
    const { namespace, maxPayloadBytes } = this.#options;
    const { routing, onConflict } = options === undefined ? PUBLISH_DEFAULTS : checkPublishOptions(options);
    const messages = envelopes.map((envelope) => toStoredMessage(routed(envelope, routing), maxPayloadBytes));
    if (routing?.type === "broadcast") {
      const channel = checkName("broadcast channel", routing.broadcastChannel);
      await Promise.all(messages.map(({ envelope }) => hub.call("publishBroadcast", { namespace, channel, envelope })));
      return messages.map(({ id }) => ({ id, outcome: "broadcast" }));
    }
    const [only] = messages;
    if (operation === "publish" && onConflict === "reject" && only !== undefined) {
      return [{ id: only.id, outcome: await hub.call("publish", { namespace, message: only }) }];
    }
    const replacePending = onConflict === "replace-pending";
    const outcomes = await hub.call("publishAll", { namespace, messages, replacePending });
    return outcomes.map((outcome, index) => ({ id: messages[index]?.id ?? "", outcome }));
  }

  consume(subscription: RoutingSubscription, options?: ConsumeOptions): Consumer {
    const hub = this.#hub();
    const { queues, broadcastChannels } = resolveSubscription(subscription);
    const merged = mergeOptions(CONSUME_DEFAULTS, options);
    const { namespace, defaultVisibilityTimeout, maxDeliveries, pollInterval } = this.#options;
    const consumer = new SqliteConsumer(
      hub,
      {
        namespace,
        queues,
        channels: broadcastChannels,
        prefetch: checkInteger("prefetch", merged.prefetch, { min: 1, max: MAX_PREFETCH }),
        consumerName: checkName("consumer", merged.consumerName ?? generateEnvelopeId()),
        defaultVisibilityTimeout: Math.ceil(defaultVisibilityTimeout),
        maxDeliveries,
        pollInterval,
      },
      this.#logger,
      (ended) => this.#consumers.delete(ended),
      checkListeners(merged),
    );
    this.#consumers.add(consumer);
    return consumer;
  }

  async ack(delivery: Delivery): Promise<void> {
    await this.#settle(delivery, (hub, ref) => hub.call("ack", ref));
  }

  async nack(delivery: Delivery, options?: NackOptions): Promise<void> {
    const { requeue, countsAsDelivery } = mergeOptions(NACK_DEFAULTS, options);
    checkBoolean("requeue", requeue);
    checkBoolean("countsAsDelivery", countsAsDelivery);
    await this.#settle(delivery, (hub, ref) =>
      requeue
        ? hub.call("requeue", { delivery: ref, countsAsDelivery, maxDeliveries: this.#options.maxDeliveries })
        : hub.call("deadLetter", { delivery: ref, reason: "nack", meta: "{}" }),
    );
  }

  async retry(delivery: Delivery, next: Envelope): Promise<void> {
    if (next?.id !== checkDelivery(delivery).envelope.id)
      throw new InvalidOptionError("next.id", next?.id, "the id of the delivered message");
    const message = toStoredMessage(checkEnvelope(next), this.#options.maxPayloadBytes);
    await this.#settle(delivery, (hub, ref) => hub.call("retry", { delivery: ref, next: message }));
  }

  async deadLetter(delivery: Delivery, options: Readonly<{ reason?: string; meta?: JsonObject }> = {}): Promise<void> {
    const defaults = { reason: undefined as string | undefined, meta: {} as JsonObject };
    const { reason, meta } = mergeOptions(defaults, options as Partial<typeof defaults>);
    if (reason !== undefined && (typeof reason !== "string" || LONE_SURROGATE.test(reason))) {
      throw new InvalidOptionError("reason", reason, "a string of whole characters");
    }
    const text = stringifyJsonWithin(meta, "meta", this.#options.maxPayloadBytes);
    await this.#settle(delivery, (hub, ref) =>
      hub.call("deadLetter", { delivery: ref, reason: reason ?? null, meta: text }),
    );
  }

  async extendLease(delivery: Delivery, by: Milliseconds): Promise<Date> {
    checkDuration("by", by, { min: 1 });
    const hub = this.#hub();
    const ref = toDeliveryRef(delivery);
    if (ref === undefined) return new Date(this.#handle.clock.now() + by);
    return new Date(await hub.call("extendLease", { delivery: ref, by: Math.ceil(by) }));
  }

  async purge(queue: string): Promise<number> {
    return this.#hub().call("purge", this.#queue(queue));
  }

  async pendingCount(queue: string): Promise<number> {
    return this.#hub().call("pendingCount", this.#queue(queue));
  }

  async inflightCount(queue: string): Promise<number> {
    return this.#hub().call("inflightCount", this.#queue(queue));
  }

  async listQueues(): Promise<readonly QueueSummary[]> {
    this.#hub();
    return this.#inspection.queues();
  }

  async listPending(queue: string, options?: PageOptions): Promise<PendingPage> {
    this.#hub();
    return this.#inspection.pending(queue, options);
  }

  async listInflight(queue: string, options?: PageOptions): Promise<InflightPage> {
    this.#hub();
    return this.#inspection.inflight(queue, options);
  }

  async listDeadLetters(queue: string, options?: PageOptions): Promise<DeadLetterPage> {
    this.#hub();
    return this.#deadLetters.list(queue, options);
  }

  async getDeadLetter(queue: string, id: string): Promise<DeadLetterEntry | null> {
    this.#hub();
    return this.#deadLetters.get(queue, id);
  }

  async replayDeadLetters(queue: string, options?: DeadLetterReplayOptions): Promise<DeadLetterReplayResult> {
    this.#hub();
    return this.#deadLetters.replay(queue, options);
  }

  async purgeDeadLetters(queue: string, options?: Readonly<{ since?: Date; limit?: number }>): Promise<number> {
    this.#hub();
    return this.#deadLetters.purge(queue, options);
  }

  settlerFor(backend: ResultBackend): DeliverySettler | undefined {
    return createSqliteSettler(this.#handle, () => this.#hub(), backend, this.#options);
  }

  /** Whether this broker and that handle write in one transaction. @internal */
  sharesDatabase(handle: HubHandle): boolean {
    return this.#handle.databaseKey === handle.databaseKey;
  }

  /** Deletes dead letters past their retention; the sweeper's work, for whoever wants it now. */
  async runMaintenance(): Promise<void> {
    if (this.#closing === undefined) await this.#deadLetters.sweep();
  }

  /** How the database is: where it is kept, who owns it, what it takes. */
  async health(): Promise<DatabaseHealth> {
    return readHealth(this.#hub());
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#sweeper.stop();
    try {
      await Promise.all([...this.#consumers].map((consumer) => consumer.return()));
    } finally {
      await this.#handle.release();
    }
  }

  #hub(): HubClient {
    if (this.#closing !== undefined) throw new ClosedError("The broker");
    return this.#handle.hub;
  }

  #queue(queue: string): Readonly<{ namespace: string; queue: string }> {
    return { namespace: this.namespace, queue: checkName("queue", queue) };
  }

  async #settle(delivery: Delivery, call: (hub: HubClient, ref: DeliveryRef) => Promise<void>): Promise<void> {
    const hub = this.#hub();
    const ref = toDeliveryRef(delivery);
    if (ref !== undefined) await call(hub, ref);
  }
}

function checkListeners(options: Readonly<Record<keyof ConsumerListeners, unknown>>): ConsumerListeners {
  const { onDeadLetter, onGap } = options;
  for (const [option, value] of Object.entries({ onDeadLetter, onGap })) {
    if (value !== undefined && typeof value !== "function") throw new InvalidOptionError(option, value, "a function");
  }
  return { onDeadLetter, onGap } as ConsumerListeners;
}

function checkPublishOptions(
  options: PublishOptions,
): Readonly<Required<Pick<PublishOptions, "onConflict">> & PublishOptions> {
  const merged = mergeOptions(
    PUBLISH_DEFAULTS as Required<Record<keyof PublishOptions, unknown>>,
    options,
  ) as PublishOptions;
  const { routing } = merged;
  return {
    ...(routing === undefined ? {} : { routing: checkRoute(routing) }),
    onConflict: checkOneOf("onConflict", merged.onConflict, ["reject", "replace-pending"]),
  };
}
