import type { Broker, Delivery } from "../contracts/broker.ts";
import type { DeliverySettler } from "../contracts/delivery-settler.ts";
import { LeaseLostError } from "../errors.ts";
import type { Activity } from "./activity.ts";
import { forwardBroker } from "./forward-broker.ts";
import type { Gate } from "./gated-consumer.ts";

/** What one worker holds: the deliveries it has been given and that have not ended. */
export class Hands {
  readonly #held = new Map<number, Delivery>();
  readonly #gate: Gate;
  readonly #activity: Activity;
  #last: Delivery | undefined;
  #received = 0;
  #deadLettered = 0;

  constructor(gate: Gate, activity: Activity) {
    this.#gate = gate;
    this.#activity = activity;
  }

  get held(): readonly Delivery[] {
    return [...this.#held.values()];
  }

  /** The latest delivery, where there was any. */
  get last(): readonly Delivery[] {
    return this.#last === undefined ? [] : [this.#last];
  }

  get size(): number {
    return this.#held.size;
  }

  /** Deliveries so far. */
  get received(): number {
    return this.#received;
  }

  /** Messages the worker has made dead letters so far. */
  get deadLettered(): number {
    return this.#deadLettered;
  }

  /** The broker as the worker gets it: queues are consumed through the gate, and what is given and ended is counted. */
  watch<Kind extends Broker>(broker: Kind): Kind {
    return forwardBroker(broker, {
      consume: (subscription, options) => {
        if ((subscription.queues ?? []).length === 0) return broker.consume(subscription, options);
        return this.#gate.consumer(
          () => broker.consume(subscription, options),
          (delivery) => this.#take(delivery),
        );
      },
      ack: (delivery) => this.#ending(delivery, () => broker.ack(delivery)),
      nack: (delivery, options) =>
        this.#ending(delivery, () => broker.nack(delivery, options), options?.requeue === false),
      retry: (delivery, next) => this.#ending(delivery, () => broker.retry(delivery, next)),
      deadLetter: (delivery, options) => this.#ending(delivery, () => broker.deadLetter(delivery, options), true),
      extendLease: async (delivery, by) => {
        try {
          return await broker.extendLease(delivery, by);
        } catch (error) {
          if (error instanceof LeaseLostError) this.#drop(delivery);
          throw error;
        }
      },
      settlerFor: (backend) => {
        const settler = broker.settlerFor(backend);
        return settler === undefined ? undefined : this.#watchSettler(settler);
      },
    });
  }

  #watchSettler(settler: DeliverySettler): DeliverySettler {
    return {
      settle: (delivery, outcome) =>
        this.#ending(delivery, () => settler.settle(delivery, outcome), outcome.end.kind === "dead-letter"),
    };
  }

  /** A fault leaves it in hand, as the worker tries again; a lost lease does not. */
  async #ending(delivery: Delivery, end: () => Promise<void>, isDeadLetter = false): Promise<void> {
    try {
      await end();
    } catch (error) {
      if (error instanceof LeaseLostError) this.#drop(delivery);
      throw error;
    }
    if (isDeadLetter) this.#deadLettered += 1;
    this.#drop(delivery);
  }

  #take(delivery: Delivery): void {
    this.#received += 1;
    this.#last = delivery;
    this.#held.set(delivery.token, delivery);
    this.#activity.tell();
  }

  #drop({ token }: Delivery): void {
    if (this.#held.delete(token)) this.#activity.tell();
  }
}
