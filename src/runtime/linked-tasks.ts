import type { Broker } from "../contracts/broker.ts";
import type { DeliveryOutcome } from "../contracts/delivery-settler.ts";
import type { ResultBackend, StatusWrite } from "../contracts/result-backend.ts";
import type { EnqueueRequest } from "../contracts/task-enqueuer.ts";
import type { Envelope } from "../core/envelope.ts";
import { INTERNAL_HEADER_PREFIX, META_KEYS } from "../core/reserved-keys.ts";
import type { TaskState } from "../core/task-state.ts";
import { InvalidOptionError, StemError } from "../errors.ts";
import { lineageOf } from "./lineage.ts";
import { decodeLinkedCall } from "./linked-call.ts";
import { statusMeta } from "./status-meta.ts";

/** What {@link LinkedTasks} works with. */
export interface LinkedTasksParts {
  readonly broker: Broker;
  readonly backend: ResultBackend | undefined;
  /** Makes the checked envelope of a call, with the options of the handler that this worker knows. */
  readonly prepare: (request: EnqueueRequest) => Envelope;
  readonly onError: (during: string, error: unknown, parent: Envelope) => void;
}

/**
 * The tasks that follow a task. Each has had its id since its parent was enqueued, and what is known of it under that
 * id keeps it from being published twice: its message, or a status that says that it has begun.
 */
export class LinkedTasks {
  readonly #parts: LinkedTasksParts;

  constructor(parts: LinkedTasksParts) {
    this.#parts = parts;
  }

  /** The messages that follow `parent` in this state. A call that cannot be read is reported, and left out. */
  after(parent: Envelope, state: TaskState): readonly Envelope[] {
    const key = keyOf(state);
    const stored: unknown = key === undefined ? undefined : parent.meta[key];
    if (key === undefined || stored === undefined) return [];
    if (!Array.isArray(stored)) {
      this.#reportUnread(new InvalidOptionError(key, stored, "an array of encoded calls"), parent);
      return [];
    }
    return stored.flatMap((json: unknown, index) => {
      try {
        return [this.#parts.prepare(asLinked(parent, decodeLinkedCall(json, `${key}[${index}]`)))];
      } catch (error) {
        this.#reportUnread(error, parent);
        return [];
      }
    });
  }

  /** The outcome of a run of `parent` with the messages that follow it, and their statuses. */
  addTo(outcome: DeliveryOutcome, parent: Envelope): DeliveryOutcome {
    const publish = this.after(parent, outcome.status.state);
    return publish.length === 0 ? outcome : { ...outcome, publish, queued: publish.map(queuedStatus) };
  }

  /**
   * Publishes one of the messages outside of any transaction, its status first, unless that says that the task has
   * begun. Throws an error that may pass; any other is reported.
   */
  async publish(envelope: Envelope, parent: Envelope): Promise<void> {
    const { broker } = this.#parts;
    const status = await this.#writeQueued(envelope, parent);
    if (status === "begun") return;
    try {
      await broker.publish(envelope);
    } catch (error) {
      if (error instanceof StemError && error.retryable) throw error;
      this.report(envelope, error, parent);
      if (status === "written") await this.#takeBack(envelope, parent);
    }
  }

  /** Tells that one of the messages could not be published. */
  report({ id }: Envelope, error: unknown, parent: Envelope): void {
    this.#parts.onError(`publishing the linked task "${id}"; it is left out`, error, parent);
  }

  /** Best effort: a task without a status runs as well. */
  async #writeQueued(envelope: Envelope, parent: Envelope): Promise<"written" | "stands" | "begun"> {
    const { backend, onError } = this.#parts;
    if (backend === undefined) return "stands";
    const { taskId, state, ...options } = queuedStatus(envelope);
    try {
      if (await backend.set(taskId, state, options)) return "written";
      const stored = await backend.get(taskId);
      return stored === null || stored.state === "queued" ? "stands" : "begun";
    } catch (error) {
      onError("writing the status of a linked task", error, parent);
      return "stands";
    }
  }

  async #takeBack({ id }: Envelope, parent: Envelope): Promise<void> {
    try {
      await this.#parts.backend?.expire(id, 0);
    } catch (error) {
      this.#parts.onError("taking back the status of a linked task", error, parent);
    }
  }

  #reportUnread(error: unknown, parent: Envelope): void {
    this.#parts.onError("reading a linked call; it is left out", error, parent);
  }
}

function keyOf(state: TaskState): string | undefined {
  if (state === "succeeded") return META_KEYS.link;
  return state === "failed" ? META_KEYS.linkError : undefined;
}

/** The parent's headers go on, but for those of the library, which are about the parent alone; of its meta nothing. */
function asLinked(parent: Envelope, call: EnqueueRequest): EnqueueRequest {
  const inherited = Object.entries(parent.headers).filter(([name]) => !name.startsWith(INTERNAL_HEADER_PREFIX));
  const isAdded = call.enqueueOptions?.addToParent !== false;
  return {
    ...call,
    headers: { ...Object.fromEntries(inherited), ...call.headers },
    meta: { ...call.meta, ...(isAdded ? lineageOf(parent, call.meta) : {}) },
  };
}

function queuedStatus(envelope: Envelope): StatusWrite {
  return { taskId: envelope.id, state: "queued", meta: statusMeta(envelope, {}) };
}
