import type { Broker, PublishOptions, PublishReceipt } from "../contracts/broker.ts";
import type { DeliveryOutcome, DeliverySettler } from "../contracts/delivery-settler.ts";
import type { Envelope } from "../core/envelope.ts";
import { forwardBroker } from "./forward-broker.ts";

/** Which messages of an {@link EnqueueRecord} are asked for; all of what is given has to be true of them. */
export interface EnqueuedFilter {
  /** Of the task. */
  readonly name?: string;
  readonly queue?: string;
}

/** Remembers which messages a broker has stored, in order, and when the latest one of each task is due. */
export class EnqueueRecord {
  readonly #stored: Envelope[] = [];
  /** By task id, from when on its latest message may be delivered. */
  readonly #due = new Map<string, { readonly at: number; readonly queue: string }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What was enqueued so far, by whomever; retries are no new enqueues. */
  list({ name, queue }: EnqueuedFilter = {}): readonly Envelope[] {
    return this.#stored.filter(
      (envelope) => (name === undefined || envelope.name === name) && (queue === undefined || envelope.queue === queue),
    );
  }

  /** The next instant at which a message of these queues falls due, all of them being over that are due by now. */
  nextDue(queues: readonly string[]): number | undefined {
    const now = this.#now();
    let next: number | undefined;
    for (const { at, queue } of this.#due.values()) {
      if (at > now && queues.includes(queue) && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  /** The broker, with everything noted that is stored through it. */
  watch<Kind extends Broker>(broker: Kind): Kind {
    return forwardBroker(broker, {
      publish: async (envelope, options) => {
        const receipt = await broker.publish(envelope, options);
        this.#note(envelope, receipt, options);
        return receipt;
      },
      publishAll: async (envelopes, options) => {
        const receipts = await broker.publishAll(envelopes, options);
        for (const [index, receipt] of receipts.entries()) this.#note(envelopes[index], receipt, options);
        return receipts;
      },
      retry: async (delivery, next) => {
        await broker.retry(delivery, next);
        this.#setDue(next);
      },
      purge: async (queue) => {
        const purged = await broker.purge(queue);
        for (const [id, due] of this.#due) if (due.queue === queue) this.#due.delete(id);
        return purged;
      },
      replayDeadLetters: async (queue, options) => {
        const result = await broker.replayDeadLetters(queue, options);
        const at = this.#now() + (options?.delay ?? 0);
        if (!result.dryRun) for (const { envelope } of result.entries) this.#due.set(envelope.id, { at, queue });
        return result;
      },
      settlerFor: (backend) => {
        const settler = broker.settlerFor(backend);
        return settler === undefined ? undefined : this.#watchSettler(settler);
      },
    });
  }

  #watchSettler(settler: DeliverySettler): DeliverySettler {
    return {
      settle: async (delivery, outcome) => {
        await settler.settle(delivery, outcome);
        this.#noteOutcome(outcome);
      },
    };
  }

  #noteOutcome({ end, publish = [] }: DeliveryOutcome): void {
    if (end.kind === "retry") this.#setDue(end.next);
    // What was stored before, by its own enqueue or an earlier run of its parent, was left as it is.
    for (const link of publish) if (!this.#due.has(link.id)) this.#add(link);
  }

  #note(envelope: Envelope | undefined, { outcome }: PublishReceipt, options: PublishOptions | undefined): void {
    if (envelope === undefined || outcome === "duplicate" || outcome === "broadcast") return;
    const { queue = envelope.queue, priority = envelope.priority } = options?.routing ?? {};
    this.#add(queue === envelope.queue && priority === envelope.priority ? envelope : { ...envelope, queue, priority });
  }

  #add(envelope: Envelope): void {
    this.#stored.push(envelope);
    this.#setDue(envelope);
  }

  #setDue({ id, queue, notBefore }: Envelope): void {
    this.#due.set(id, { at: notBefore?.getTime() ?? this.#now(), queue });
  }
}
