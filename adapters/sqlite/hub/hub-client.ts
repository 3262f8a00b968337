import { ClosedError, EngineError, OutcomeUnknownError, type StemError } from "../../../src/errors.ts";
import { reviveError } from "../../../src/error-transfer.ts";
import type { ArgsOf, OperationName, ResultOf } from "../operations/operation-table.ts";
import type { LinkListener, OwnerLink } from "./owner-link.ts";
import type { Call, OwnerBatch } from "./protocol.ts";

export type { OwnerLink } from "./owner-link.ts";

/** Microtasks without a new call after which a turn has made its calls; the way of a task through a worker takes six. */
const PATIENCE = 8;
/** So many calls are not kept waiting for more. */
const FULL_BATCH = 1_000;
/** So many owners are given one query. */
const MOST_OWNERS = 2;

/** Receives what the owner pushes to one subscription. */
export type EventListener = (events: readonly unknown[]) => void;

interface Pending {
  readonly call: Call;
  /** Owners that had it, and are gone: it may have taken effect. */
  lostOwners: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * A member's side of the hub: sends whole operations, all those of one turn together, and hands out what the owner
 * pushes. Every promise settles: with the owner's answer, or with an error when there is none to be had. When the owner
 * changes, what was not answered is sent to the next one, which knows what has taken effect.
 */
export class HubClient implements LinkListener {
  readonly #link: OwnerLink;
  /** In the order of their ids. */
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<number, EventListener>();
  /** How each subscription is made again at the next owner. */
  readonly #resubscribes = new Map<number, () => void>();
  /** Who is told of pushes to subscriptions that nobody listens to any more; the process need not stay for them. */
  readonly #strays = new Map<number, EventListener>();
  readonly #lostListeners = new Set<(error: StemError) => void>();
  #outgoing: Call[] = [];
  #nextId = 1;
  #isAttached = true;
  #waiting = false;
  #ended: StemError | undefined;
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
      const call: Call = [id, operation, args];
      this.#pending.set(id, { call, lostOwners: 0, resolve, reject });
      this.#outgoing.push(call);
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

  /**
   * Has `resubscribe` make the subscription again after each change of the owner, until it is unlistened. To be set
   * once the present owner has answered: before that, the call itself is sent again.
   */
  onOwnerChange(subscription: number, resubscribe: () => void): void {
    if (this.#listeners.has(subscription)) this.#resubscribes.set(subscription, resubscribe);
  }

  /** Pushes to this subscription are dropped from now on, or given to `onStray` when the owner could not be told. */
  unlisten(subscription: number, onStray?: EventListener): void {
    this.#listeners.delete(subscription);
    this.#resubscribes.delete(subscription);
    if (onStray === undefined) this.#strays.delete(subscription);
    else this.#strays.set(subscription, onStray);
    this.#updateWaiting();
  }

  /** Calls `listener` once when the database is lost for good without `close`. Returns how to take it back. */
  onLost(listener: (error: StemError) => void): () => void {
    this.#lostListeners.add(listener);
    return () => void this.#lostListeners.delete(listener);
  }

  /** For the link: takes what the owner sent. */
  receive(batch: OwnerBatch): void {
    for (const [id, value, error] of batch.replies) {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined || error === null) pending?.resolve(value);
      else pending?.reject(reviveError(error));
    }
    for (const [subscription, events] of batch.pushes) {
      (this.#listeners.get(subscription) ?? this.#strays.get(subscription))?.(events);
    }
    this.#updateWaiting();
    if (batch.broken !== undefined) this.fail(reviveError(batch.broken));
  }

  /** For the link: nothing can be sent until {@link HubClient.attached}. */
  lost(cause: unknown, mayRepeat: boolean): void {
    if (this.#isAttached) {
      const unsent = new Set(this.#outgoing);
      for (const pending of this.#pending.values()) if (!unsent.has(pending.call)) pending.lostOwners += 1;
    }
    this.#isAttached = false;
    this.#giveUpQueries();
    if (!mayRepeat)
      this.#rejectAll(new EngineError("its thread ended", { cause, retryable: true, outcome: "unknown" }));
  }

  /** For the link: whoever waits is told, and waits no more. */
  unresponsive(error: StemError): void {
    this.#rejectAll(error);
  }

  /** For the link: there is an owner again. Subscriptions are made first, then what was not answered is sent again. */
  attached(): void {
    if (this.#isAttached || this.#ended !== undefined) return;
    this.#isAttached = true;
    const unanswered = [...this.#pending.values()].map(({ call }) => call);
    this.#outgoing = [];
    for (const resubscribe of this.#resubscribes.values()) resubscribe();
    this.#outgoing.push(...unanswered);
    this.#flush();
  }

  /** For the link: whoever waits for something is told that nothing will come any more. */
  fail(error: StemError): void {
    if (this.#ended !== undefined) return;
    this.#end(error);
    for (const listener of this.#lostListeners) listener(error);
  }

  /** Sends what is waiting to be sent, then closes the link; calls still unanswered are rejected. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#flush();
    const link = this.#link;
    try {
      await link.close();
    } finally {
      const closed = new ClosedError("The database");
      // The owner may have done what it did not come to answer.
      this.#rejectAll(new OutcomeUnknownError("a call that was under way when the database was closed", closed));
      if (this.#ended === undefined) this.#end(closed);
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
    // Without an owner they wait among the unanswered.
    if (this.#isAttached) this.#link.send(batch, this.#answered());
  }

  /** All calls up to this id have been answered. */
  #answered(): number {
    const [oldest = this.#nextId] = this.#pending.keys();
    return oldest - 1;
  }

  #end(error: StemError): void {
    this.#ended = error;
    this.#listeners.clear();
    this.#resubscribes.clear();
    this.#strays.clear();
    this.#rejectAll(error);
  }

  /** A statement of somebody else's may be what ends its owners, as one that nothing can interrupt: two are enough. */
  #giveUpQueries(): void {
    for (const [id, pending] of this.#pending) {
      const { call, lostOwners } = pending;
      if (call[1] !== "queryDatabase" || lostOwners < MOST_OWNERS) continue;
      this.#pending.delete(id);
      pending.reject(new EngineError(`${lostOwners} owners in a row ended before they had answered the query`));
    }
    this.#updateWaiting();
  }

  #rejectAll(error: StemError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of pending) {
      call.reject(
        call.lostOwners > 0 && error.outcome !== "unknown" ? new OutcomeUnknownError("the call", error) : error,
      );
    }
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
