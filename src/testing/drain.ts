import type { Broker, Delivery } from "../contracts/broker.ts";
import { ClosedError, NotDrainedError } from "../errors.ts";
import type { Worker } from "../runtime/worker.ts";
import type { Activity } from "./activity.ts";
import type { FakeClock } from "./fake-clock.ts";
import type { Gate } from "./gated-consumer.ts";
import type { Hands } from "./hands.ts";
import { afterRealTime } from "./real-time.ts";
import { settle } from "./settle.ts";

const PATIENCE_PARTS = 8;

/** What a {@link Drain} works with. */
export interface DrainParts {
  readonly broker: Broker;
  readonly worker: Worker;
  readonly clock: FakeClock;
  readonly gate: Gate;
  readonly hands: Hands;
  readonly activity: Activity;
  /** All that the worker works on, paused ones included. */
  readonly queues: readonly string[];
  readonly patience: number;
  readonly maxRuns: number;
  /** The next instant at which a message of these queues falls due. */
  readonly nextDue: (queues: readonly string[]) => number | undefined;
}

/** One draining of a queue under test, in one or several steps that share their limit of runs. */
export class Drain {
  readonly #parts: DrainParts;
  readonly #receivedBefore: number;

  constructor(parts: DrainParts) {
    this.#parts = parts;
    this.#receivedBefore = parts.hands.received;
  }

  /** Has the worker run what is ready, and what that makes ready, until neither is left. */
  async ready(): Promise<void> {
    const { gate, hands, activity } = this.#parts;
    gate.open();
    try {
      for (;;) {
        const seen = activity.count;
        if (hands.size > 0 || (await this.#pending()) > 0) await this.#progress(seen);
        else if (await this.#isAtRest()) return;
        this.#checkRuns();
        gate.open();
      }
    } finally {
      await gate.close();
    }
  }

  /** Moves the clock to where the next message falls due. False when nothing will. */
  async skip(): Promise<boolean> {
    const { clock, nextDue } = this.#parts;
    const due = nextDue(this.#queues());
    if (due === undefined) return false;
    // A clock that was moved by parts of a millisecond must not stop short of it.
    await clock.advance(Math.ceil(due - clock.now()));
    return true;
  }

  /** With the gate closed, nothing is on its way any more, and what was is back in its queue. */
  async #isAtRest(): Promise<boolean> {
    const { gate, hands } = this.#parts;
    await gate.close();
    await settle();
    return hands.size === 0 && (await this.#pending()) === 0;
  }

  async #pending(): Promise<number> {
    const { broker } = this.#parts;
    const counts = await Promise.all(this.#queues().map((queue) => broker.pendingCount(queue)));
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  #queues(): readonly string[] {
    const { queues, worker } = this.#parts;
    return queues.filter((queue) => !worker.pausedQueues.includes(queue));
  }

  /** Waits until a task begins or ends. Throws when none does. */
  async #progress(seen: number): Promise<void> {
    const { activity, hands, patience } = this.#parts;
    // In parts: while the whole process is held up, only one of them passes.
    for (let part = 0; part < PATIENCE_PARTS; part += 1) {
      if (await this.#progressWithin(patience / PATIENCE_PARTS, seen)) return;
    }
    await settle();
    if (activity.count !== seen) return;
    const finding = `nothing began or ended within ${patience} ms of real time, while its clock stood still`;
    throw new NotDrainedError(finding, hands.held.map(named));
  }

  async #progressWithin(ms: number, seen: number): Promise<boolean> {
    const { activity, worker } = this.#parts;
    let stopWaiting = (): void => undefined;
    const impatient = new Promise<"impatient">((resolve) => {
      stopWaiting = afterRealTime(ms, () => resolve("impatient"));
    });
    const stopped = worker.stopped.then(() => "stopped" as const);
    const end = await Promise.race([activity.since(seen), impatient, stopped]);
    stopWaiting();
    if (end === "stopped") throw new ClosedError("The worker of this queue");
    return end !== "impatient";
  }

  #checkRuns(): void {
    const { hands, maxRuns } = this.#parts;
    if (hands.received - this.#receivedBefore <= maxRuns) return;
    const last = hands.held.length > 0 ? hands.held : hands.last;
    throw new NotDrainedError(`there was no end after ${maxRuns} runs`, last.map(named));
  }
}

function named({ envelope: { id, name, queue, attempt } }: Delivery) {
  return { id, name, queue, attempt };
}
