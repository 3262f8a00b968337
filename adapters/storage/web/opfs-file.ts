import type { SyncFile } from "../../../src/contracts/storage-driver.ts";
import { ClosedError, StorageFullError, StorageIoError } from "../../../src/errors.ts";
import { webStorageFailure } from "./web-errors.ts";

/** -8 as 32 bits without a sign: Chromium's number for a disk without room. */
const NO_SPACE = 0xfffffff8;

/** An opening of a file. The access handle stays open: it belongs to the lease, and all openings share it. */
export class OpfsFile implements SyncFile {
  readonly #handle: FileSystemSyncAccessHandle;
  readonly #path: string;
  readonly #isReleased: () => boolean;
  #isClosed = false;

  /** `path` is what errors call the file; `isReleased` tells that its lease is over. */
  constructor(handle: FileSystemSyncAccessHandle, path: string, isReleased: () => boolean) {
    this.#handle = handle;
    this.#path = path;
    this.#isReleased = isReleased;
  }

  read(into: Uint8Array, at: number): number {
    this.#checkOpen();
    let done = 0;
    while (done < into.length) {
      const part = done === 0 ? into : into.subarray(done);
      const count = this.#call("read", (handle) => handle.read(part, { at: at + done }));
      if (!isCount(count, part.length)) throw new StorageIoError("read", this.#path, `a count of ${count}`);
      // A read is short at the end of the file, and there the next one finds nothing.
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(from: Uint8Array, at: number): void {
    this.#checkOpen();
    if (from.length === 0) return;
    const count = this.#call("write", (handle) => handle.write(from, { at }));
    if (count === from.length) return;
    // Browsers that are out of room write a part; and Chromium returns an error's number as if it were a count.
    if (isCount(count, from.length) || count === NO_SPACE) {
      throw new StorageFullError(this.#path, new Error(`Of ${from.length} bytes, ${count} were written.`));
    }
    throw new StorageIoError("write", this.#path, `a count of ${count}`);
  }

  truncate(size: number): void {
    this.#call("truncate", (handle) => handle.truncate(size));
  }

  flush(): void {
    this.#call("flush", (handle) => handle.flush());
  }

  size(): number {
    const size = this.#call("getSize", (handle) => handle.getSize());
    if (!isCount(size, Number.MAX_SAFE_INTEGER)) throw new StorageIoError("getSize", this.#path, `a size of ${size}`);
    return size;
  }

  close(): void {
    this.#isClosed = true;
  }

  #checkOpen(): void {
    if (this.#isClosed || this.#isReleased()) throw new ClosedError(`The file "${this.#path}"`);
  }

  #call<Result>(call: string, run: (handle: FileSystemSyncAccessHandle) => Result): Result {
    this.#checkOpen();
    try {
      return run(this.#handle);
    } catch (error) {
      throw webStorageFailure(call, this.#path, error);
    }
  }
}

function isCount(value: unknown, most: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most;
}
