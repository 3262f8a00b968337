import type { Broker, PublishOptions } from "../contracts/broker.ts";
import type { ResultBackend } from "../contracts/result-backend.ts";
import type { EnqueueOptions, EnqueueRequest, TaskEnqueuer } from "../contracts/task-enqueuer.ts";
import type { Envelope } from "../core/envelope.ts";
import { type JsonObject, stringifyJson } from "../core/json.ts";
import { InvalidOptionError, StemError, UnknownTaskError } from "../errors.ts";
import type { RuntimePorts } from "./check-ports.ts";
import { createEnqueuePlan, type EnqueueMoment, type EnqueuePlan, envelopeOf } from "./enqueue-plan.ts";
import { publishRetrying } from "./publish-retry.ts";
import { type PublishSettings, publishSettingsOf, publishSettingsOfAll } from "./publish-settings.ts";
import { statusMeta } from "./status-meta.ts";
import type { TaskRegistry } from "./task-registry.ts";

/** Names without a handler may be anything, and without end. */
const MAX_PLANS = 10_000;
const NEVER = new AbortController().signal;

/** What an {@link Enqueuer} works with. */
export interface EnqueuerParts extends Required<RuntimePorts> {
  readonly broker: Broker;
  readonly backend: ResultBackend | undefined;
  readonly registry: TaskRegistry | undefined;
  /** Whether a name without a handler is refused. */
  readonly registeredOnly: boolean;
  /** Once it fires, a publish that has failed is not tried again. */
  readonly closing?: AbortSignal;
}

/** Turns requests into envelopes and publishes them, the `queued` status first. Shared by `Stem` and workers. */
export class Enqueuer implements TaskEnqueuer {
  readonly #parts: EnqueuerParts;
  readonly #plans = new Map<string, EnqueuePlan>();
  /** Broker and backend carry out what they are told at once in one transaction. */
  readonly #isOneDatabase: boolean;

  constructor(parts: EnqueuerParts) {
    this.#parts = parts;
    const { broker, backend } = parts;
    this.#isOneDatabase = backend !== undefined && broker.settlerFor?.(backend) !== undefined;
  }

  async enqueue(name: string, options: EnqueueOptions = {}): Promise<string> {
    const envelope = envelopeOf(this.#planFor(name), options, this.#parts.ids, this.#moment());
    await this.#store([envelope], publishSettingsOf(options, envelope), "one");
    return envelope.id;
  }

  async enqueueAll(requests: readonly EnqueueRequest[]): Promise<readonly string[]> {
    if (!Array.isArray(requests)) throw new InvalidOptionError("requests", requests, "an array of tasks to enqueue");
    const moment = this.#moment();
    const { ids } = this.#parts;
    const envelopes = requests.map((request) => envelopeOf(this.#planFor(request?.name), request, ids, moment));
    if (envelopes.length === 0) return [];
    await this.#store(envelopes, publishSettingsOfAll(requests), "all");
    return envelopes.map((envelope) => envelope.id);
  }

  /** The checked envelope of a request, which is not published. */
  prepare(request: EnqueueRequest): Envelope {
    return envelopeOf(this.#planFor(request?.name), request, this.#parts.ids, this.#moment());
  }

  #moment(): EnqueueMoment {
    const now = this.#parts.clock.now();
    return { now, date: new Date(now) };
  }

  #planFor(name: string): EnqueuePlan {
    const { registry, registeredOnly } = this.#parts;
    const handler = registry?.resolve(name);
    const known = this.#plans.get(name);
    if (known !== undefined && known.handler === handler) return known;
    const plan = createEnqueuePlan(name, handler);
    if (handler === undefined && registeredOnly) throw new UnknownTaskError(name);
    if (this.#plans.size >= MAX_PLANS) this.#plans.clear();
    this.#plans.set(name, plan);
    return plan;
  }

  /** The caller's objects are copied where they could change between the check and the publishing. */
  async #store(given: readonly Envelope[], settings: PublishSettings, how: "one" | "all"): Promise<void> {
    const { backend } = this.#parts;
    if (backend !== undefined) return this.#publishQueued(backend, given.map(snapshot), settings);
    const envelopes = settings.retryPolicy === undefined ? given : given.map(snapshot);
    await this.#publish(envelopes, settings, how, async () => false);
  }

  /** Writes `queued` before the message is there to be claimed, so that no worker's status is ever older. */
  async #publishQueued(
    backend: ResultBackend,
    envelopes: readonly Envelope[],
    settings: PublishSettings,
  ): Promise<void> {
    if (this.#isOneDatabase && settings.retryPolicy === undefined) {
      return this.#publishWithStatus(backend, envelopes, settings);
    }
    const writes = await Promise.allSettled(envelopes.map((envelope) => writeQueued(backend, envelope)));
    const written = envelopes.filter((_, index) => isTrue(writes[index]));
    const failure = writes.find((write) => write.status === "rejected");
    if (failure !== undefined) {
      await this.#takeBack(backend, written);
      throw failure.reason;
    }
    try {
      const how = envelopes.length === 1 ? "one" : "all";
      await this.#publish(envelopes, settings, how, () => this.#hasBegun(backend, written));
    } catch (error) {
      // After an unknown outcome the messages may be there, and their statuses with them.
      if (error instanceof StemError && error.outcome === "not-applied") await this.#takeBack(backend, written);
      throw error;
    }
  }

  /** Sends both at once, the status first: what shares a database is carried out in this order, in one commit. */
  async #publishWithStatus(
    backend: ResultBackend,
    envelopes: readonly Envelope[],
    settings: PublishSettings,
  ): Promise<void> {
    const writing = Promise.allSettled(envelopes.map((envelope) => writeQueued(backend, envelope)));
    const how = envelopes.length === 1 ? "one" : "all";
    const publishing = this.#publish(envelopes, settings, how, async () => false);
    const [writes, [published]] = await Promise.all([writing, Promise.allSettled([publishing])]);
    if (published?.status === "rejected") {
      const { reason } = published;
      const written = envelopes.filter((_, index) => isTrue(writes[index]));
      if (reason instanceof StemError && reason.outcome === "not-applied") await this.#takeBack(backend, written);
      throw reason;
    }
    const failure = writes.find((write) => write.status === "rejected");
    if (failure === undefined) return;
    const { reason: error } = failure;
    this.#parts.logger.log("warn", "A task was published whose status could not be written before.", { error });
  }

  async #publish(
    envelopes: readonly Envelope[],
    { retryPolicy, options }: PublishSettings,
    how: "one" | "all",
    isPublished: () => Promise<boolean>,
  ): Promise<void> {
    const { broker, clock, randomness, closing = NEVER } = this.#parts;
    const args: [PublishOptions?] = options === undefined ? [] : [options];
    const [only] = envelopes;
    const publish = (): Promise<unknown> =>
      how === "one" && only !== undefined ? broker.publish(only, ...args) : broker.publishAll(envelopes, ...args);
    if (retryPolicy === undefined) await publish();
    else await publishRetrying(publish, retryPolicy, { clock, randomness, closing, isPublished });
  }

  /**
   * Whether a worker has had one of these tasks, of which nothing but our `queued` was known: the message that was
   * stored may be gone, and publishing it once more would run the task twice.
   */
  async #hasBegun(backend: ResultBackend, written: readonly Envelope[]): Promise<boolean> {
    try {
      const statuses = await Promise.all(written.map((envelope) => backend.get(envelope.id)));
      return statuses.some((status) => status !== null && status.state !== "queued");
    } catch (error) {
      this.#parts.logger.log("warn", "Whether a task was published is not known; it is published again.", { error });
      return false;
    }
  }

  async #takeBack(backend: ResultBackend, envelopes: readonly Envelope[]): Promise<void> {
    const ends = await Promise.allSettled(envelopes.map((envelope) => backend.expire(envelope.id, 0)));
    const failures = ends.filter((end) => end.status === "rejected");
    if (failures.length === 0) return;
    this.#parts.logger.log("warn", "A queued status of a task that was not published stays until it expires.", {
      count: failures.length,
      error: failures[0]?.reason,
    });
  }
}

function isTrue(result: PromiseSettledResult<boolean> | undefined): boolean {
  return result?.status === "fulfilled" && result.value;
}

function snapshot(envelope: Envelope): Envelope {
  return Object.freeze({
    ...envelope,
    args: copyJson(envelope.args, "args"),
    meta: copyJson(envelope.meta, "meta"),
    headers: { ...envelope.headers },
  });
}

function copyJson(value: JsonObject, path: string): JsonObject {
  return JSON.parse(stringifyJson(value, path)) as JsonObject;
}

function writeQueued(backend: ResultBackend, envelope: Envelope): Promise<boolean> {
  return backend.set(envelope.id, "queued", { meta: statusMeta(envelope, {}) });
}
