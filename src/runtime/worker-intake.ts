import type { BroadcastGap, Consumer, Delivery } from "../contracts/broker.ts";
import type { RevokeEntry } from "../contracts/revoke-store.ts";
import type { Envelope } from "../core/envelope.ts";
import { DeliveryLoop } from "./delivery-loop.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import type { TaskPool } from "./task-pool.ts";
import { TaskRun } from "./task-run.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

/** What a {@link WorkerIntake} works with. */
export interface WorkerIntakeParts {
  readonly options: ResolvedWorkerOptions;
  readonly pool: TaskPool;
  readonly leases: LeaseKeeper;
  readonly isPaused: (queue: string) => boolean;
  /** A revocation that the worker knows of and no store has. */
  readonly revocationOf: (taskId: string) => RevokeEntry | undefined;
  /** Puts a message back, uncounted. Never rejects. */
  readonly giveBack: (run: TaskRun) => Promise<void>;
  readonly onDeadLetter: (envelope: Envelope) => void;
  readonly onGap: (gap: BroadcastGap) => void;
  readonly onError: (during: string, error: unknown) => void;
}

/**
 * What a worker takes in, and from where: its queues but for the paused ones, through one consumer, and its broadcast
 * channels through another, so that a pause makes nobody miss a broadcast.
 */
export class WorkerIntake {
  readonly #parts: WorkerIntakeParts;
  readonly #loops: readonly DeliveryLoop[];
  readonly #queueLoop: DeliveryLoop;
  readonly #returning = new Set<Promise<void>>();
  #received = 0;

  constructor(parts: WorkerIntakeParts) {
    this.#parts = parts;
    const { queues, broadcastChannels } = parts.options.subscription;
    this.#queueLoop = this.#loop(() => this.#consumeQueues());
    const channelLoop = this.#loop(() => this.#consumeChannels());
    this.#loops = [
      ...(queues.length === 0 ? [] : [this.#queueLoop]),
      ...(broadcastChannels.length === 0 ? [] : [channelLoop]),
    ];
  }

  /** Deliveries that came so far. */
  get received(): number {
    return this.#received;
  }

  /** The queues that are worked on at this moment. */
  get queues(): readonly string[] {
    return this.#parts.options.subscription.queues.filter((queue) => !this.#parts.isPaused(queue));
  }

  /** Throws what the broker has against the subscription. */
  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  /** A queue was paused or resumed: claims stop, or begin, and what has not begun of a paused queue goes back. */
  follow(queue: string): void {
    const { options, pool, isPaused, giveBack } = this.#parts;
    if (!options.subscription.queues.includes(queue)) return;
    // First, or this very consumer would claim again what goes back.
    this.#await(this.#queueLoop.refresh());
    if (!isPaused(queue)) return;
    for (const run of pool.held) {
      if (run.phase === "waiting" && isOf(run, queue)) run.cut({ kind: "give-back" });
    }
    for (const run of pool.takeWaiting((waiting) => isOf(waiting, queue))) this.#await(giveBack(run));
  }

  /** Resolves when what was given back so far is back. */
  async settled(): Promise<void> {
    await Promise.all(this.#returning);
  }

  /** Takes nothing more, starts nothing more, and gives back what has not begun. Never rejects. */
  async stop(): Promise<void> {
    const { pool, giveBack } = this.#parts;
    pool.pause();
    const stopped = Promise.all(this.#loops.map((loop) => loop.stop()));
    // A loop may wait for the room that this makes; and it may have been given one more before it stopped.
    await Promise.all(pool.takeWaiting().map(giveBack));
    await stopped;
    await Promise.all(pool.takeWaiting().map(giveBack));
    await this.settled();
  }

  #loop(consume: () => Consumer | undefined): DeliveryLoop {
    return new DeliveryLoop({
      clock: this.#parts.options.clock,
      consume,
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onError: (error) => this.#parts.onError("taking deliveries", error),
      room: () => this.#parts.pool.room(),
    });
  }

  #consumeQueues(): Consumer | undefined {
    const { queues } = this;
    if (queues.length === 0) return undefined;
    const { broker, prefetch, consumerName } = this.#parts.options;
    return broker.consume({ queues }, { prefetch, consumerName, onDeadLetter: this.#parts.onDeadLetter });
  }

  #consumeChannels(): Consumer {
    const { broker, subscription, consumerName } = this.#parts.options;
    const { broadcastChannels } = subscription;
    return broker.consume({ broadcastChannels }, { consumerName, onGap: this.#parts.onGap });
  }

  #onDelivery(delivery: Delivery): void {
    const { leases, pool, isPaused, revocationOf, giveBack } = this.#parts;
    this.#received += 1;
    const run = new TaskRun(delivery);
    // It was claimed before the pause, and came after it.
    if (!run.isBroadcast && isPaused(run.envelope.queue)) return this.#await(giveBack(run));
    const revocation = revocationOf(run.envelope.id);
    if (revocation !== undefined) run.revoke(revocation);
    leases.keep(run);
    pool.add(run);
  }

  #await(returning: Promise<void>): void {
    const tracked = returning.finally(() => this.#returning.delete(tracked));
    this.#returning.add(tracked);
  }
}

function isOf(run: TaskRun, queue: string): boolean {
  return !run.isBroadcast && run.envelope.queue === queue;
}
