import type { Clock } from "../contracts/clock.ts";
import type { Logger } from "../contracts/logger.ts";
import type { TaskError } from "../contracts/result-backend.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { Envelope } from "../core/envelope.ts";
import type { JsonObject } from "../core/json.ts";

/** Events that one iteration keeps while nobody takes them; beyond it the oldest are dropped, and reported. */
const MAX_WAITING_EVENTS = 1_000;

interface OfTask {
  readonly envelope: Envelope;
}

/** What each type of event says. The events of one task in one worker come in the order of its life. */
export interface WorkerEventFacts {
  /** A handler is about to run. */
  readonly started: OfTask;
  /** A running task is alive: every `heartbeatInterval`, and at `context.heartbeat()`. */
  readonly heartbeat: OfTask;
  readonly progress: OfTask & { readonly fraction: number; readonly data?: JsonObject };
  readonly timeout: OfTask & { readonly level: "soft" | "hard"; readonly limitMs: Milliseconds };
  /** The result is stored and the message gone. */
  readonly completed: OfTask;
  /** The run failed, or asked for it, and another one is stored. */
  readonly retried: OfTask & { readonly error: TaskError; readonly nextAttemptAt: Date };
  /** The task failed for good; its message is a dead letter. */
  readonly failed: OfTask & { readonly error: TaskError };
  readonly revoked: OfTask & { readonly reason?: string; readonly requestedBy?: string };
  /** The task was cancelled since its time had passed before it began. */
  readonly expired: OfTask;
  /** Somebody else holds the task now; whatever this run returns is discarded. */
  readonly "lease-lost": OfTask;
  /** Somebody paused a queue, of this worker or another one on the same revoke store: it is not worked on. */
  readonly "queue-paused": { readonly queue: string; readonly reason?: string; readonly requestedBy?: string };
  readonly "queue-resumed": { readonly queue: string; readonly reason?: string; readonly requestedBy?: string };
  /** The worker did not get this many broadcasts of a channel it listens to, its control channels included. */
  readonly "broadcast-gap": { readonly channel: string; readonly missed: number };
  /** Something failed that is no task's fault, such as storing a result; the worker goes on. */
  readonly error: { readonly during: string; readonly error: unknown; readonly envelope?: Envelope };
  /** Only in iterations: this many events were left out, since they were not taken in time. */
  readonly dropped: { readonly count: number };
}

export type WorkerEventType = keyof WorkerEventFacts;
/** What happened, without when. */
export type WorkerEventInput = { [T in WorkerEventType]: { readonly type: T } & WorkerEventFacts[T] }[WorkerEventType];
/** Something a worker did or noticed. */
export type WorkerEvent = WorkerEventInput & { readonly at: Date };
export type WorkerEventOf<T extends WorkerEventType> = Extract<WorkerEvent, { readonly type: T }>;
/** What it returns is ignored; what it throws, now or later, is logged and changes nothing. */
export type WorkerEventListener<T extends WorkerEventType> = (event: WorkerEventOf<T>) => unknown;

type AnyListener = (event: WorkerEvent) => unknown;

/** Hands a worker's events to listeners and iterations. Nothing that a listener does reaches the worker. */
export class WorkerEvents implements AsyncIterable<WorkerEvent> {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Map<WorkerEventType, Set<{ readonly call: AnyListener }>>();
  readonly #iterations = new Set<EventIteration>();
  #isClosed = false;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Calls `listener` for each event of the type until the returned function is called. */
  on<T extends WorkerEventType>(type: T, listener: WorkerEventListener<T>): () => void {
    const entry = { call: listener as unknown as AnyListener };
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(entry));
    return () => void listeners.delete(entry);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<WorkerEvent> {
    const iteration = new EventIteration(this.#clock, () => this.#iterations.delete(iteration));
    if (this.#isClosed) iteration.end();
    else this.#iterations.add(iteration);
    return iteration;
  }

  emit(input: WorkerEventInput): void {
    const listeners = this.#listeners.get(input.type);
    if (this.#iterations.size === 0 && (listeners === undefined || listeners.size === 0)) return;
    const event = { at: new Date(this.#clock.now()), ...input } as WorkerEvent;
    for (const { call } of listeners ?? []) this.#tell(call, event);
    for (const iteration of this.#iterations) iteration.push(event);
  }

  /** Ends iterations once they have given what they hold, and drops listeners. */
  close(): void {
    this.#isClosed = true;
    for (const iteration of this.#iterations) iteration.end();
    this.#listeners.clear();
  }

  #tell(call: AnyListener, event: WorkerEvent): void {
    const failed = (error: unknown): void =>
      this.#logger.log("error", "A listener of worker events failed.", { type: event.type, error });
    try {
      const returned = call(event);
      if (returned instanceof Promise) returned.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** One `for await` over a worker's events. */
class EventIteration implements AsyncIterableIterator<WorkerEvent> {
  readonly #clock: Clock;
  readonly #release: () => void;
  readonly #events: WorkerEvent[] = [];
  readonly #waiting: ((result: IteratorResult<WorkerEvent, undefined>) => void)[] = [];
  #dropped = 0;
  #isEnded = false;

  constructor(clock: Clock, release: () => void) {
    this.#clock = clock;
    this.#release = release;
  }

  push(event: WorkerEvent): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting({ done: false, value: event });
    this.#events.push(event);
    if (this.#events.length <= MAX_WAITING_EVENTS) return;
    this.#events.shift();
    this.#dropped += 1;
  }

  end(): void {
    this.#isEnded = true;
    this.#release();
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<WorkerEvent, undefined>> {
    const value = this.#takeDropped() ?? this.#events.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#isEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<WorkerEvent, undefined>> {
    this.#events.length = 0;
    this.#dropped = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #takeDropped(): WorkerEvent | undefined {
    if (this.#dropped === 0) return undefined;
    const count = this.#dropped;
    this.#dropped = 0;
    return { type: "dropped", count, at: new Date(this.#clock.now()) };
  }
}
