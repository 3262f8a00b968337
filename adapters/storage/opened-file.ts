import type { SyncFile } from "../../src/contracts/storage-driver.ts";
import { ClosedError } from "../../src/errors.ts";

/** Bytes in memory that several openings share. */
export interface FileBytes {
  readonly size: number;
  read(into: Uint8Array, at: number): number;
  write(from: Uint8Array, at: number): void;
  resize(size: number): void;
}

/** One opening of a file in memory. A flush has nothing to do. */
export class OpenedFile implements SyncFile {
  readonly #bytes: FileBytes;
  readonly #check: () => void;
  #closed = false;

  /** `check` throws when the file must not be used any more. */
  constructor(bytes: FileBytes, check: () => void) {
    this.#bytes = bytes;
    this.#check = check;
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

  #open(): FileBytes {
    if (this.#closed) throw new ClosedError("The file");
    this.#check();
    return this.#bytes;
  }
}
