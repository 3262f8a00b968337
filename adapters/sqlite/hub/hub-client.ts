import { ClosedError, EngineError, type StemError } from "../../../src/errors.ts";
import { reviveError } from "../../../src/error-transfer.ts";
import type { ArgsOf, OperationName, ResultOf } from "../operations/operation-table.ts";
import type { Call, MemberBatch, OwnerBatch } from "./protocol.ts";

/** Microtasks without a new call after which a turn has made its calls; the way of a task through a worker takes six. */
const PATIENCE = 8;
/** So many calls are not kept waiting for more. */
const FULL_BATCH = 1_000;

/** How a client reaches its owner. */
export interface OwnerLink {
  /** Sends calls; their order is kept. */
  send(batch: MemberBatch): void;
  /** Whether calls are waiting for an answer: the process must not end meanwhile. */
  waiting(on: boolean): void;
  /** Closes the owner, or this client's part in it. */
  close(): Promise<void>;
}

/** Receives what the owner pushes to one subscription. */
export type EventListener = (events: readonly unknown[]) => void;

interface Pending {
  readonly operation: OperationName;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * A member's side of the hub: sends whole operations, all those of one turn together, and hands out what the owner
 * pushes. Every promise settles: with the owner's answer, or with an error when the owner is gone.
 */
export class HubClient {
  readonly #link: OwnerLink;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<number, EventListener>();
  /** Who is told of pushes to subscriptions that nobody listens to any more; the process need not stay for them. */
  readonly #strays = new Map<number, EventListener>();
  readonly #lostListeners = new Set<(error: StemError) => void>();
  #outgoing: Call[] = [];
  #nextId = 1;
  #waiting = false;
  #ended: StemError | undefined;
  /** The owner is not there any more to be closed. */
  #isGone = false;
  #closing: Promise<void> | undefined;

  /** `connect` gets what the owner's batches and its end are to be told to, and gives the way to the owner. */
  constructor(connect: (client: HubClient) => OwnerLink) {
    this.#link = connect(this);
  }

  /** Runs one operation on the owner. Resolves after its transaction is durable. */
  call<Name extends OperationName>(operation: Name, args: ArgsOf<Name>): Promise<ResultOf<Name>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise<ResultOf<Name>>((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { operation, resolve, reject });
      this.#outgoing.push([id, operation, args]);
      this.#updateWaiting();
      if (this.#outgoing.length === 1) this.#flushSoon(1, PATIENCE);
    });
  }

  /** Registers a listener and returns the number under which the owner can push to it. */
  listen(listener: EventListener): number {
    const subscription = this.#nextId++;
    this.#listeners.set(subscription, listener);
    this.#updateWaiting();
    return subscription;
  }

  /** Pushes to this subscription are dropped from now on, or given to `onStray` when the owner could not be told. */
  unlisten(subscription: number, onStray?: EventListener): void {
    this.#listeners.delete(subscription);
    if (onStray === undefined) this.#strays.delete(subscription);
    else this.#strays.set(subscription, onStray);
    this.#updateWaiting();
  }

  /** Calls `listener` once when the owner is gone for good without `close`. Returns how to take it back. */
  onLost(listener: (error: StemError) => void): () => void {
    this.#lostListeners.add(listener);
    return () => void this.#lostListeners.delete(listener);
  }

  /** For the link: takes what the owner sent. */
  receive(batch: OwnerBatch): void {
    for (const [id, value, error] of batch.replies) {
      const call = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) call?.resolve(value);
      else call?.reject(reviveError(error));
    }
    for (const [subscription, events] of batch.pushes) {
      (this.#listeners.get(subscription) ?? this.#strays.get(subscription))?.(events);
    }
    this.#updateWaiting();
    if (batch.broken !== undefined) this.#fail(reviveError(batch.broken));
  }

  /** For the link: the owner is gone. Calls under way may or may not have taken effect. */
  lose(cause: unknown): void {
    this.#isGone = true;
    this.#fail(new EngineError("its thread ended", { cause, retryable: true, outcome: "unknown" }));
  }

  /** Sends what is waiting to be sent, then closes the link; calls still unanswered are rejected. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#isGone) return;
    this.#flush();
    const link = this.#link;
    try {
      await link.close();
    } finally {
      if (this.#ended === undefined) this.#end(new ClosedError("The database"));
    }
  }

  /** What one turn does in several steps, with a few microtasks between them, goes out as one batch. */
  #flushSoon(seen: number, patience: number): void {
    queueMicrotask(() => {
      const { length } = this.#outgoing;
      if (length >= FULL_BATCH || (length === seen && patience === 0)) this.#flush();
      else if (length > 0) this.#flushSoon(length, length === seen ? patience - 1 : PATIENCE);
    });
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#ended !== undefined) return;
    const batch = this.#outgoing;
    this.#outgoing = [];
    this.#link.send(batch);
  }

  /** Whoever waits for something is told: nothing will come any more. */
  #fail(error: StemError): void {
    if (this.#ended !== undefined) return;
    this.#end(error);
    for (const listener of this.#lostListeners) listener(error);
  }

  #end(error: StemError): void {
    this.#ended = error;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#listeners.clear();
    this.#strays.clear();
    for (const call of pending) call.reject(error);
    this.#updateWaiting();
  }

  /** The process stays alive while a call waits for its answer or somebody listens. */
  #updateWaiting(): void {
    const waiting = this.#pending.size > 0 || this.#listeners.size > 0;
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    this.#link.waiting(waiting);
  }
}
