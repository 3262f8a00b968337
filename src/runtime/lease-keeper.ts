import type { Broker } from "../contracts/broker.ts";
import type { Clock, Timer } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";
import { LeaseLostError } from "../errors.ts";
import type { TaskRun } from "./task-run.ts";

/** Shortest pause between two tries to renew one lease. */
const SHORTEST_PAUSE_MS: Milliseconds = 10;

interface Lease {
  readonly run: TaskRun;
  /** When to renew, on the monotonic clock; infinite while a renewal is under way. */
  dueAt: number;
}

/** What a {@link LeaseKeeper} works with. */
export interface LeaseKeeperParts {
  readonly broker: Broker;
  readonly clock: Clock;
  /** The broker says that the lease is somebody else's. */
  readonly onLost: (run: TaskRun) => void;
  readonly onError: (run: TaskRun, error: unknown) => void;
}

/**
 * Renews the leases of all runs in a worker's hands, waiting ones too, to their full length each time a third of it
 * has passed. One timer for all of them; a renewal that fails is tried again well before the lease ends.
 */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #leases = new Map<TaskRun, Lease>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #lastRenewal: Date | undefined;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
  }

  /** When a lease was last renewed. */
  get lastRenewal(): Date | undefined {
    return this.#lastRenewal;
  }

  /** Keeps the lease of `run` from now on. A broadcast has none. */
  keep(run: TaskRun): void {
    const { leaseMs, leaseExpiresAt } = run.delivery;
    if (leaseExpiresAt === undefined || leaseMs <= 0) return;
    const { clock } = this.#parts;
    // The delivery may have waited a while; the wall clock can only make the first renewal come earlier.
    const used = Math.max(0, leaseMs - (leaseExpiresAt.getTime() - clock.now()));
    const lease = { run, dueAt: clock.monotonic() + Math.max(0, leaseMs / 3 - used) };
    this.#leases.set(run, lease);
    this.#wakeAt(lease.dueAt);
  }

  release(run: TaskRun): void {
    this.#leases.delete(run);
    if (this.#leases.size === 0) this.#cancelTimer();
  }

  /** Renews nothing any more: what is still held returns to its queue when its lease ends. */
  stop(): void {
    this.#leases.clear();
    this.#cancelTimer();
  }

  /** Prolongs the lease at the handler's wish; throws `LeaseLostError` when it is somebody else's. */
  async extend(run: TaskRun, by: Milliseconds): Promise<void> {
    try {
      await this.#parts.broker.extendLease(run.delivery, by);
      this.#lastRenewal = new Date(this.#parts.clock.now());
    } catch (error) {
      if (error instanceof LeaseLostError) this.#lost(run);
      throw error;
    }
  }

  #wakeAt(at: number): void {
    if (at >= this.#timerAt) return;
    this.#cancelTimer();
    this.#timerAt = at;
    this.#timer = this.#parts.clock.schedule(() => this.#renewDue(), at - this.#parts.clock.monotonic());
  }

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #renewDue(): void {
    this.#cancelTimer();
    const now = this.#parts.clock.monotonic();
    let earliest = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases.values()) {
      if (lease.dueAt <= now) void this.#renew(lease);
      earliest = Math.min(earliest, lease.dueAt);
    }
    if (earliest < Number.POSITIVE_INFINITY) this.#wakeAt(earliest);
  }

  async #renew(lease: Lease): Promise<void> {
    const { broker, clock, onError } = this.#parts;
    const { leaseMs } = lease.run.delivery;
    lease.dueAt = Number.POSITIVE_INFINITY;
    let pause = leaseMs / 3;
    try {
      await broker.extendLease(lease.run.delivery, leaseMs);
      this.#lastRenewal = new Date(clock.now());
    } catch (error) {
      if (!this.#leases.has(lease.run)) return;
      if (error instanceof LeaseLostError) return this.#lost(lease.run);
      onError(lease.run, error);
      pause = leaseMs / 12;
    }
    if (!this.#leases.has(lease.run)) return;
    lease.dueAt = clock.monotonic() + Math.max(pause, SHORTEST_PAUSE_MS);
    this.#wakeAt(lease.dueAt);
  }

  /** While a run is being settled, its lease ends with success as well: the settling tells which it was. */
  #lost(run: TaskRun): void {
    this.release(run);
    if (run.phase !== "settling") this.#parts.onLost(run);
  }
}
