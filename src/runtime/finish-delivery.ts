import type { Broker, Delivery } from "../contracts/broker.ts";
import type { Clock } from "../contracts/clock.ts";
import type { DeliveryEnd, DeliveryOutcome, DeliverySettler } from "../contracts/delivery-settler.ts";
import type { ResultBackend, StatusWrite, TaskStatus } from "../contracts/result-backend.ts";
import type { Envelope } from "../core/envelope.ts";
import { META_KEYS } from "../core/reserved-keys.ts";
import type { TaskState } from "../core/task-state.ts";
import { ClosedError, LeaseLostError, StemError } from "../errors.ts";
import type { LinkedTasks } from "./linked-tasks.ts";
import { retryingFaults } from "./retrying-faults.ts";

/** What a {@link DeliveryFinisher} works with. */
export interface DeliveryFinisherParts {
  readonly broker: Broker;
  readonly backend: ResultBackend | undefined;
  readonly clock: Clock;
  /** Ends a pause between two tries; the try that follows is the last one. */
  readonly hurry: AbortSignal;
  readonly links: LinkedTasks;
}

/**
 * Stores what one run leaves: its status, its group's member result, the tasks that follow it and the end of its
 * message. In one transaction when broker and backend share one; else the result first, then the tasks that follow,
 * and the message last, so that a crash in between runs the task again instead of losing any of it. Status and end
 * carry the delivery's token.
 */
export class DeliveryFinisher {
  readonly #parts: DeliveryFinisherParts;
  readonly #settler: DeliverySettler | undefined;

  constructor(parts: DeliveryFinisherParts) {
    this.#parts = parts;
    this.#settler = parts.backend === undefined ? undefined : parts.broker.settlerFor(parts.backend);
  }

  /**
   * Faults that may pass are tried again a few times. Throws `LeaseLostError` when the message is somebody else's,
   * and the last error when nothing helped; then the lease lapses and the task is delivered again. Of a task that is
   * not tracked, only the message is ended.
   */
  async finish(delivery: Delivery, given: DeliveryOutcome, isTracked: boolean = true): Promise<void> {
    const { clock, hurry, links } = this.#parts;
    const outcome = links.addTo(given, delivery.envelope);
    let mayHaveHappened = false;
    const attempt = async (): Promise<void> => {
      try {
        if (isTracked) await this.#once(delivery, outcome);
        else if (delivery.route.type !== "broadcast") await this.#end(delivery, outcome.end);
      } catch (error) {
        // The try before may have ended this very delivery; then there is nothing left to end.
        if (error instanceof LeaseLostError && mayHaveHappened) return;
        mayHaveHappened ||= error instanceof StemError && error.outcome === "unknown";
        throw error;
      }
    };
    await retryingFaults(attempt, clock, hurry, mayPass);
  }

  /**
   * Publishes the tasks that follow one whose message the broker itself has ended, by its status where there is one,
   * else by `state`. Rejects when that cannot be read; what cannot be published is reported.
   */
  async publishLinks(parent: Envelope, state: TaskState): Promise<void> {
    if (!hasLinks(parent)) return;
    await this.#publishSingly(this.#parts.links.after(parent, await this.#standing(parent, state)), parent);
  }

  async #once(delivery: Delivery, outcome: DeliveryOutcome): Promise<void> {
    const isBroadcast = delivery.route.type === "broadcast";
    if (this.#settler !== undefined && !isBroadcast) return this.#together(this.#settler, delivery, outcome);
    const { backend, links } = this.#parts;
    const { envelope } = delivery;
    let { publish = [] } = outcome;
    if (backend !== undefined) {
      const { taskId, state, ...options } = outcome.status;
      const isStored = await backend.set(taskId, state, options);
      if (outcome.groupId !== undefined) await backend.addGroupResult(outcome.groupId, toStatus(outcome.status));
      // An earlier run whose result stands may have ended before it published what follows that result.
      if (!isStored && hasLinks(envelope)) {
        const standing = await this.#standing(envelope, state);
        if (standing !== state) publish = links.after(envelope, standing);
      }
    }
    for (const link of publish) await links.publish(link, envelope);
    if (!isBroadcast) await this.#end(delivery, outcome.end);
  }

  async #together(settler: DeliverySettler, delivery: Delivery, outcome: DeliveryOutcome): Promise<void> {
    try {
      await settler.settle(delivery, outcome);
    } catch (error) {
      const { publish, end, status, groupId } = outcome;
      if (publish === undefined || !isRefusal(error)) throw error;
      // Either the run itself cannot be stored, which this throws, or one of the messages that follow it.
      await settler.settle(delivery, { end, status, ...(groupId === undefined ? {} : { groupId }) });
      await this.#publishSingly(publish, delivery.envelope);
    }
  }

  async #publishSingly(messages: readonly Envelope[], parent: Envelope): Promise<void> {
    const { clock, hurry, links } = this.#parts;
    for (const message of messages) {
      try {
        await retryingFaults(() => links.publish(message, parent), clock, hurry, mayPass);
      } catch (error) {
        links.report(message, error, parent);
      }
    }
  }

  /** The state of a task by its status, where there is one. */
  async #standing({ id }: Envelope, state: TaskState): Promise<TaskState> {
    return (await this.#parts.backend?.get(id))?.state ?? state;
  }

  #end(delivery: Delivery, end: DeliveryEnd): Promise<void> {
    const { broker } = this.#parts;
    switch (end.kind) {
      case "ack":
        return broker.ack(delivery);
      case "retry":
        return broker.retry(delivery, end.next);
      case "dead-letter":
        return broker.deadLetter(delivery, {
          reason: end.reason,
          ...(end.meta === undefined ? {} : { meta: end.meta }),
        });
    }
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof StemError && error.retryable;
}

/** Whether nothing was done because of what was to be stored. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof StemError) || error instanceof LeaseLostError || error instanceof ClosedError) return false;
  return !error.retryable && error.outcome === "not-applied";
}

function hasLinks({ meta }: Envelope): boolean {
  return meta[META_KEYS.link] !== undefined || meta[META_KEYS.linkError] !== undefined;
}

function toStatus(write: StatusWrite): TaskStatus {
  const { taskId, state, attempt = 0, meta = {}, payload, error } = write;
  return {
    id: taskId,
    state,
    attempt,
    meta,
    ...(payload === undefined ? {} : { payload }),
    ...(error === undefined ? {} : { error }),
  };
}
