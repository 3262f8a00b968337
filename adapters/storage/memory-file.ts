import type { SyncFile } from "../../src/contracts/storage-driver.ts";
import { ClosedError, StorageFullError } from "../../src/errors.ts";

const SMALLEST_BUFFER = 4096;

/** An opening of a file in memory. */
export class MemoryFile implements SyncFile {
  readonly #bytes: MemoryBytes;
  readonly #isReleased: () => boolean;
  #closed = false;

  constructor(bytes: MemoryBytes, isReleased: () => boolean) {
    this.#bytes = bytes;
    this.#isReleased = isReleased;
  }

  read(into: Uint8Array, at: number): number {
    return this.#open().read(into, at);
  }

  write(from: Uint8Array, at: number): void {
    this.#open().write(from, at);
  }

  truncate(size: number): void {
    this.#open().resize(size);
  }

  flush(): void {
    this.#open();
  }

  size(): number {
    return this.#open().size;
  }

  close(): void {
    this.#closed = true;
  }

  #open(): MemoryBytes {
    if (this.#closed || this.#isReleased()) throw new ClosedError("The file");
    return this.#bytes;
  }
}

/** The bytes of a file in memory. Those beyond `size` in the buffer are always zero, so that growing needs no clearing. */
export class MemoryBytes {
  readonly #path: string;
  #buffer: Uint8Array = new Uint8Array(0);
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - at));
    if (count > 0) into.set(this.#buffer.subarray(at, at + count));
    return count;
  }

  write(from: Uint8Array, at: number): void {
    if (from.length === 0) return;
    const end = at + from.length;
    if (end > this.#size) this.resize(end);
    this.#buffer.set(from, at);
  }

  resize(size: number): void {
    if (size > this.#buffer.length) this.#reserve(size);
    if (size < this.#size) this.#buffer.fill(0, size, this.#size);
    this.#size = size;
  }

  #reserve(size: number): void {
    try {
      const grown = new Uint8Array(Math.max(size, this.#buffer.length * 2, SMALLEST_BUFFER));
      grown.set(this.#buffer);
      this.#buffer = grown;
    } catch (error) {
      throw new StorageFullError(this.#path, error);
    }
  }
}
