import { StorageFullError } from "../../src/errors.ts";
import type { FileBytes } from "./opened-file.ts";

const SMALLEST_BUFFER = 4096;

/** The bytes of a file in memory. Those beyond `size` in the buffer are always zero, so that growing needs no clearing. */
export class MemoryBytes implements FileBytes {
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
