import type { Broker, Delivery } from "../contracts/broker.ts";
import type { Clock } from "../contracts/clock.ts";
import type { DeliveryEnd, DeliveryOutcome, DeliverySettler } from "../contracts/delivery-settler.ts";
import type { ResultBackend, StatusWrite, TaskStatus } from "../contracts/result-backend.ts";
import { LeaseLostError, StemError } from "../errors.ts";
import { retryingFaults } from "./retrying-faults.ts";

/** What a {@link DeliveryFinisher} works with. */
export interface DeliveryFinisherParts {
  readonly broker: Broker;
  readonly backend: ResultBackend | undefined;
  readonly clock: Clock;
  /** Ends a pause between two tries; the try that follows is the last one. */
  readonly hurry: AbortSignal;
}

/**
 * Stores what one run leaves: its status, its group's member result and the end of its message. In one transaction
 * when broker and backend share one; else the result first and the message second, so that a crash in between runs
 * the task again instead of losing its result. Both carry the delivery's token.
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
   * and the last error when nothing helped; then the lease lapses and the task is delivered again.
   */
  async finish(delivery: Delivery, outcome: DeliveryOutcome): Promise<void> {
    const { clock, hurry } = this.#parts;
    let mayHaveHappened = false;
    const attempt = async (): Promise<void> => {
      try {
        await this.#once(delivery, outcome);
      } catch (error) {
        // The try before may have ended this very delivery; then there is nothing left to end.
        if (error instanceof LeaseLostError && mayHaveHappened) return;
        mayHaveHappened ||= error instanceof StemError && error.outcome === "unknown";
        throw error;
      }
    };
    await retryingFaults(attempt, clock, hurry, (error) => error instanceof StemError && error.retryable);
  }

  async #once(delivery: Delivery, outcome: DeliveryOutcome): Promise<void> {
    const isBroadcast = delivery.route.type === "broadcast";
    if (this.#settler !== undefined && !isBroadcast) return this.#settler.settle(delivery, outcome);
    const { backend } = this.#parts;
    if (backend !== undefined) {
      const { taskId, state, ...options } = outcome.status;
      await backend.set(taskId, state, options);
      if (outcome.groupId !== undefined) await backend.addGroupResult(outcome.groupId, toStatus(outcome.status));
    }
    if (!isBroadcast) await this.#end(delivery, outcome.end);
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
