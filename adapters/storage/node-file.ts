import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { SyncFile } from "../../src/contracts/storage-driver.ts";
import { ClosedError, NotAQueueDatabaseError, StorageIoError } from "../../src/errors.ts";
import { flushDirectory, hasCode, openingFailure, storageFailure } from "./node-errors.ts";

const LOWEST_SAFE_DESCRIPTOR = 3;
const NO_FOLLOW = process.platform === "win32" ? 0 : constants.O_NOFOLLOW;

/** One plain file, opened for reading and writing with synchronous calls; created with mode 0600 when absent. */
export class NodeFile implements SyncFile {
  readonly #path: string;
  readonly #whenClosed: (file: NodeFile) => void;
  #descriptor: number | undefined;
  #entryIsFlushed: boolean;

  /** With `entryIsFlushed`, a flush leaves the folder alone. */
  constructor(path: string, whenClosed: (file: NodeFile) => void, entryIsFlushed = false) {
    this.#path = path;
    this.#entryIsFlushed = entryIsFlushed;
    this.#whenClosed = whenClosed;
    this.#descriptor = openSafely(path);
  }

  read(into: Uint8Array, at: number): number {
    const descriptor = this.#open();
    let done = 0;
    while (done < into.length) {
      const count = readOnce(descriptor, into, done, at, this.#path);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(from: Uint8Array, at: number): void {
    const descriptor = this.#open();
    let done = 0;
    try {
      while (done < from.length) {
        const count = writeSync(descriptor, from, done, from.length - done, at + done);
        if (count === 0) throw new StorageIoError("write", this.#path, "nothing was written");
        done += count;
      }
    } catch (error) {
      throw storageFailure("write", this.#path, error);
    }
  }

  truncate(size: number): void {
    this.#call("ftruncate", (descriptor) => ftruncateSync(descriptor, size));
  }

  /**
   * The first flush after each opening covers the folder's entry too, also of a file that was there: whoever created
   * it may have died before flushing.
   */
  flush(): void {
    if (this.#entryIsFlushed) {
      this.#call("fdatasync", fdatasyncSync);
      return;
    }
    this.#call("fsync", fsyncSync);
    flushDirectory(dirname(this.#path));
    this.#entryIsFlushed = true;
  }

  size(): number {
    return this.#call("fstat", (descriptor) => fstatSync(descriptor).size);
  }

  /** Gives it these permissions. */
  setMode(mode: number): void {
    this.#call("fchmod", (descriptor) => fchmodSync(descriptor, mode));
  }

  /** What the open descriptor refers to, wherever the path leads by now. */
  stat(): BigIntStats {
    return this.#call("fstat", (descriptor) => fstatSync(descriptor, { bigint: true }));
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    this.#whenClosed(this);
    try {
      closeSync(descriptor);
    } catch (error) {
      throw storageFailure("close", this.#path, error);
    }
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new ClosedError(`The file "${this.#path}"`);
    return this.#descriptor;
  }

  #call<Result>(call: string, run: (descriptor: number) => Result): Result {
    const descriptor = this.#open();
    try {
      return run(descriptor);
    } catch (error) {
      throw storageFailure(call, this.#path, error);
    }
  }
}

/** A signal may interrupt a read, which libuv reports instead of trying again. */
function readOnce(descriptor: number, into: Uint8Array, done: number, at: number, path: string): number {
  for (;;) {
    try {
      return readSync(descriptor, into, done, into.length - done, at + done);
    } catch (error) {
      if (!hasCode(error, "EINTR")) throw storageFailure("read", path, error);
    }
  }
}

/**
 * A process that closed its standard streams gets their numbers for the next files it opens, and whatever it prints
 * then lands in the database. Such a number is given to `/dev/null` for good.
 */
function openSafely(path: string): number {
  let descriptor = openOrCreate(path);
  while (descriptor < LOWEST_SAFE_DESCRIPTOR) {
    closeSync(descriptor);
    openSync(process.platform === "win32" ? "\\\\.\\nul" : "/dev/null", "r+");
    descriptor = openOrCreate(path);
  }
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new NotAQueueDatabaseError(path, "it is not a plain file");
}

function openOrCreate(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | NO_FOLLOW, 0o600);
  } catch (error) {
    throw openingFailure("open", path, "permission to read and write the file", error);
  }
}
