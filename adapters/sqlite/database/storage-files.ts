import type { StorageFileName, StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";
import { headerKind, type HeaderKind, isCutShort, MAGIC_BYTES, magicFor, masked, unmask } from "./header-guard.ts";
import { LogFile } from "./log-file.ts";

const COPY_BYTES = 1_048_576;

/**
 * The files of one lease as SQLite may use them: the database's header is masked while it is open here, and once a
 * fault has struck nothing is written any more, so that SQLite cannot make it worse while it closes.
 */
export class StorageFiles {
  readonly lease: StorageLease;
  readonly #open = new Map<StorageFileName, SyncFile>();
  #guarded = false;
  #restoreOnClose = false;
  #frozen = false;

  constructor(lease: StorageLease) {
    this.lease = lease;
  }

  /** Whether a fault or `freeze` has ended all writing. */
  get frozen(): boolean {
    return this.#frozen;
  }

  open(name: StorageFileName): SyncFile {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const opened = this.lease.open(name);
    const file = name === "wal" ? new LogFile(opened) : opened;
    this.#open.set(name, file);
    return file;
  }

  read(name: StorageFileName, into: Uint8Array, at: number): number {
    const count = this.open(name).read(into, at);
    if (name === "db" && at < MAGIC_BYTES && count > 0) unmask(into, at);
    return count;
  }

  write(name: StorageFileName, from: Uint8Array, at: number): void {
    const file = this.open(name);
    file.write(name === "db" && at === 0 && this.#guarded ? masked(from) : from, at);
  }

  /** Masks the header in every later write: what is there, a torn mask perhaps, stays until it is known to be good. */
  guardWrites(): void {
    this.#guarded = true;
  }

  /**
   * Masks the header now and in every later write; for an empty file only later writes. Durable on return, also when
   * an earlier flush of a header that looks masked failed.
   */
  guard(): void {
    this.#guarded = true;
    const kind = this.header();
    if (kind !== "sqlite" && kind !== "guarded") return;
    const file = this.open("db");
    file.write(magicFor(true), 0);
    file.flush();
  }

  /**
   * Writes the log once more, as it is, and flushes it. After a flush that failed, an operating system may show bytes
   * that it will never write; a log that is read from its cache only must not be built on.
   */
  secureLog(): void {
    if (!this.lease.exists("wal")) return;
    const log = this.open("wal");
    const bytes = new Uint8Array(COPY_BYTES);
    for (let at = 0; at < log.size(); at += COPY_BYTES) log.write(bytes.subarray(0, log.read(bytes, at)), at);
    log.flush();
  }

  /** What the file on disk starts with, guard included. */
  header(): HeaderKind {
    const bytes = new Uint8Array(MAGIC_BYTES);
    const head = bytes.subarray(0, this.open("db").read(bytes, 0));
    const kind = headerKind(head);
    // A crash while the file was made: the journal that was written first makes it empty again.
    return kind === "other" && isCutShort(head) && this.lease.exists("journal") ? "empty" : kind;
  }

  /** Lets `close` give the file back to other programs, provided that no log is left. */
  restoreOnClose(): void {
    this.#restoreOnClose = true;
  }

  /**
   * Deletes a file, durably: a log that came back after the header was restored would be taken for the log of another
   * file. After a throw the header is never restored.
   */
  delete(name: StorageFileName): void {
    this.close(name);
    const restore = this.#restoreOnClose;
    this.#restoreOnClose = false;
    this.lease.delete(name, { flush: true });
    this.#restoreOnClose = restore;
  }

  close(name: StorageFileName): void {
    const file = this.#open.get(name);
    if (file === undefined) return;
    this.#open.delete(name);
    try {
      if (name === "db" && this.#restoreOnClose && !this.#frozen) this.#restore(file);
    } finally {
      file.close();
    }
  }

  #restore(file: SyncFile): void {
    const logLeft = this.lease.exists("wal") || this.lease.exists("journal");
    if (logLeft || file.size() < MAGIC_BYTES) return;
    file.write(magicFor(false), 0);
    file.flush();
  }

  /** Ends all writing; SQLite's later calls fail. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Closes what is open without a word to SQLite, as a crash would. */
  abandon(): void {
    this.#frozen = true;
    for (const [name, file] of this.#open) {
      this.#open.delete(name);
      file.close();
    }
  }
}
