import type { Delivery } from "../contracts/broker.ts";
import type { RetryRequest } from "../contracts/task-handler.ts";
import type { RevokeEntry } from "../contracts/revoke-store.ts";
import type { Envelope } from "../core/envelope.ts";
import type { JsonValue } from "../core/json.ts";
import { ClosedError, LeaseLostError, TaskRevokedError } from "../errors.ts";
import { TaskStop } from "./task-stop.ts";

/** How a run ended, before anything about it is stored. */
export type TaskVerdict =
  | { readonly kind: "succeeded"; readonly payload: JsonValue }
  | { readonly kind: "failed"; readonly thrown: unknown }
  | { readonly kind: "retry"; readonly request: RetryRequest }
  | { readonly kind: "revoked"; readonly entry: RevokeEntry }
  | { readonly kind: "expired" }
  | { readonly kind: "unregistered" }
  /** Back to the queue, uncounted: the worker shuts down, or cannot decide. */
  | { readonly kind: "give-back" }
  /** The message is somebody else's now: nothing may be stored. */
  | { readonly kind: "lease-lost" };

const GIVE_BACK: TaskVerdict = { kind: "give-back" };
const LEASE_LOST: TaskVerdict = { kind: "lease-lost" };

/** One delivery in the hands of one worker, from its arrival until it is settled or given up. */
export class TaskRun {
  readonly delivery: Delivery;
  readonly stop: TaskStop = new TaskStop();
  /** `running` from the call of the handler until its verdict. */
  phase: "waiting" | "running" | "settling" = "waiting";
  /** When the handler was called, as an ISO 8601 date. */
  startedAt: string | undefined;
  /** The write of the status `running`, when one was sent. */
  runningWritten: Promise<unknown> | undefined;
  /** Ends the handler by force; set while it runs where that is possible, in a thread. */
  endHandler: (() => void) | undefined;
  #isLeaseLost = false;
  #isShuttingDown = false;
  #revocation: RevokeEntry | undefined;
  #cut: TaskVerdict | undefined;
  #resolve: ((verdict: TaskVerdict) => void) | undefined;

  constructor(delivery: Delivery) {
    this.delivery = delivery;
  }

  get envelope(): Envelope {
    return this.delivery.envelope;
  }

  get isBroadcast(): boolean {
    return this.delivery.route.type === "broadcast";
  }

  /** Whether its message is known to be somebody else's. */
  get isLeaseLost(): boolean {
    return this.#isLeaseLost;
  }

  /** Whether it is known already that nothing of what the handler makes will be stored. */
  get isFutile(): boolean {
    return this.#isLeaseLost || this.#revocation !== undefined;
  }

  loseLease(): void {
    this.#isLeaseLost = true;
    this.stop.demand(new LeaseLostError(this.envelope.id, this.envelope.queue));
  }

  revoke(entry: RevokeEntry): void {
    this.#revocation ??= entry;
    this.stop.demand(new TaskRevokedError(this.envelope.id, entry.reason, entry.requestedBy));
  }

  /** Asks the handler to stop for a shutdown: should it fail now, the message goes back instead. */
  shutDown(): void {
    this.#isShuttingDown = true;
    this.stop.demand(new ClosedError("The worker"));
  }

  /**
   * Ends the run with `verdict` without waiting for the handler: what runs in a thread is ended with it, and whatever
   * another handler still returns is discarded.
   */
  cut(verdict: TaskVerdict): void {
    this.#cut ??= verdict;
    this.#resolve?.(this.#interpret(this.#cut));
    this.endHandler?.();
  }

  /** The verdict that was reached before the handler began, if any. */
  get early(): TaskVerdict | undefined {
    if (this.#isLeaseLost) return LEASE_LOST;
    if (this.#revocation !== undefined) return { kind: "revoked", entry: this.#revocation };
    return this.#cut ?? (this.#isShuttingDown ? GIVE_BACK : undefined);
  }

  /** Waits for the handler's verdict or for a {@link TaskRun.cut}, whichever comes first. */
  until(handled: Promise<TaskVerdict>): Promise<TaskVerdict> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      handled.then((verdict) => resolve(this.#interpret(verdict)), reject);
    });
  }

  /** What happened to the message, or to the worker, weighs more than what the handler made of it. */
  #interpret(verdict: TaskVerdict): TaskVerdict {
    if (this.#isLeaseLost) return LEASE_LOST;
    if (this.#revocation !== undefined) return { kind: "revoked", entry: this.#revocation };
    if (this.#isShuttingDown && verdict.kind === "failed") return GIVE_BACK;
    return verdict;
  }
}
