/**
 * `ok`: it had its effect. `fail`: it had none. `info`: nobody knows, since the answer did not come or said so; it may
 * have had its effect at any time since it was asked for.
 */
export type Outcome = "ok" | "fail" | "info";

/**
 * What every record says. Times are microseconds of CLOCK_MONOTONIC, which all processes of one machine share on Linux
 * (`process.hrtime`). Something that was only seen, and not asked for, has both times the same and the outcome `ok`.
 */
interface Happened {
  readonly process: string;
  readonly invoked: number;
  /** Absent when nobody saw it answered. */
  readonly completed?: number;
  readonly outcome: Outcome;
  /** Of the error, with `fail` and `info`. */
  readonly code?: string;
}

/** A message is published; `content` stands for all that must arrive as it was sent. A key is published once. */
export interface PublishRecord extends Happened {
  readonly op: "publish";
  readonly key: string;
  readonly content: string;
}

/** A delivery was seen by the process that got it; the broker made it some time before. */
export interface GrantRecord extends Happened {
  readonly op: "grant";
  readonly key: string;
  readonly content: string;
  readonly token: number;
  readonly attempt: number;
  readonly deliveries: number;
  readonly leaseMs: number;
}

/** A delivery is ended: `ack` and `deadLetter` end its message for good, `nack` and `retry` bring it back. */
export interface SettleRecord extends Happened {
  readonly op: "ack" | "deadLetter" | "nack" | "retry";
  readonly key: string;
  readonly token: number;
  /** Of a `retry`: the attempt that takes its place. */
  readonly attempt?: number;
}

/** A lease is prolonged to `by` milliseconds from then. */
export interface ExtendRecord extends Happened {
  readonly op: "extend";
  readonly key: string;
  readonly token: number;
  readonly by: number;
}

/** A broadcast is sent. */
export interface BroadcastRecord extends Happened {
  readonly op: "broadcast";
  readonly key: string;
  readonly channel: string;
}

/** A subscriber, one per process and channel, was handed a broadcast. */
export interface HeardRecord extends Happened {
  readonly op: "heard";
  readonly key: string;
  readonly channel: string;
  readonly sequence: number;
}

/** A subscriber was told that it missed broadcasts; told at the latest when the one after them is handed out. */
export interface GapRecord extends Happened {
  readonly op: "gap";
  readonly channel: string;
  readonly missed: number;
}

/**
 * A life of a process: it `begin`s before it asks for anything, and from an `end` on (the moment somebody decided on
 * it) it counts on no lease any more. During a `pause` it did not run, so that it may have been taken for gone.
 */
export interface LifeRecord extends Happened {
  readonly op: "begin" | "end" | "pause";
}

/** One thing that one process did or saw. */
export type QueueRecord =
  | PublishRecord
  | GrantRecord
  | SettleRecord
  | ExtendRecord
  | BroadcastRecord
  | HeardRecord
  | GapRecord
  | LifeRecord;

/** What was left once the queue had been drained, read by the checker's own process. */
export interface QueueEnd {
  /** Dead letters; `deliveries` when the broker made it one for having been delivered too often. */
  readonly dead: readonly Readonly<{ key: string; content: string; deliveries?: number }>[];
  /** Messages still in the queue after the drain. */
  readonly waiting: number;
}

/** The parts of `3.1 Invariants` that a history of several processes can show broken. */
export type Invariant =
  | "I1 no loss"
  | "I2 no invention"
  | "I3 finished is final"
  | "I4 one valid lease"
  | "I5 fence"
  | "I6 one end"
  | "I7 deliveries"
  | "I19 honest errors"
  | "I21 broadcast"
  | "tokens rise";

/** One broken promise. */
export interface Violation {
  readonly invariant: Invariant;
  readonly key: string;
  readonly what: string;
}
