import type { SqlSession } from "./sql-database.ts";
import type { StorageLease } from "./storage-driver.ts";

/** One open database: its statements, and what whoever owns it has to know. */
export interface SqlDatabase extends SqlSession {
  /** Whether no transaction is under way; an engine ends one by itself after some faults. */
  readonly autocommit: boolean;
  /** Times that storing failed in a way that leaves a commit neither surely stored nor surely not. Only grows. */
  readonly failedFlushes: number;
  /** What it takes, in bytes: its file, the log beside it, and the engine's memory as far as the engine tells. */
  readonly size: Readonly<{ bytes: number; logBytes: number; memoryBytes: number }>;
  /**
   * The whole database in a form that every SQLite program opens, with at least what was committed before. Throws
   * `PayloadTooLargeError` above `maxBytes`.
   */
  copy(maxBytes: number): Uint8Array<ArrayBuffer>;
  /** The storage error met since the last one was taken, once: where the engine reports in words what went wrong. */
  takeFault(): unknown;
  /** Stores everything, and gives the file back to other programs. */
  close(): void;
  /** Lets go of the files as a crash would: nothing more is written. Idempotent, and allowed after `close`. */
  abandon(): void;
}

/** How an engine opens a database. */
export interface SqlEngineOptions {
  /**
   * `full`: a commit survives a power cut. `relaxed`: it survives the end of the process, but a power cut may take the
   * last ones with it. `off` is for control tests and corrupts. An engine may do more than it is asked.
   */
  readonly synchronous: "full" | "relaxed" | "off";
  /** Wall clock in whole milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (into: Uint8Array<ArrayBuffer>) => void;
}

/** An open database and how it was found. */
export interface OpenedDatabase {
  readonly database: SqlDatabase;
  /** The last owner did not close it: it was killed, or the machine went down. */
  readonly recovered: boolean;
}

/** A build of SQLite that databases are opened with, in the thread that asks. */
export interface SqlEngine {
  readonly name: string;
  /** Makes ready for opening. Idempotent. */
  prepare(): Promise<void>;
  /**
   * Opens the database of a lease: refuses what is not ours, newer or not recoverable without having written a byte,
   * and brings its schema up to date.
   *
   * Each commit is written through the lease before the call returns; where the driver has no durable flush, it is
   * safe once `StorageLease.durable` says so. After a throw the files are closed; the lease is the caller's to release.
   */
  open(lease: StorageLease, options: SqlEngineOptions): Promise<OpenedDatabase>;
}
