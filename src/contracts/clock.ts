/** A pending timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Leases are measured with `monotonic`, everything a user sees with `now`. */
export interface Clock {
  /** Milliseconds since the Unix epoch. Never goes backwards, also when the machine's clock is set back. */
  now(): number;
  /** Milliseconds from an arbitrary start, unaffected by changes of the machine's clock. */
  monotonic(): number;
  /**
   * Calls `callback` once, not before `delayMs` have passed. Any finite delay works, beyond the 2^31-1 ms of
   * `setTimeout` too. A pending timer does not keep the process alive unless `keepAlive` is set.
   */
  schedule(callback: () => void, delayMs: number, options?: Readonly<{ keepAlive?: boolean }>): Timer;
}
