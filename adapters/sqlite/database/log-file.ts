import type { SyncFile } from "../../../src/contracts/storage-driver.ts";

const FRAME_HEADER_BYTES = 24;
const MAX_PAGE_BYTES = 65_536;

/**
 * The write-ahead log as SQLite writes it, with half the system calls: the header of each frame, which SQLite writes
 * by itself, is held until its page follows and goes out with it. Every other call sees what was written before it.
 */
export class LogFile implements SyncFile {
  readonly #file: SyncFile;
  readonly #frame = new Uint8Array(FRAME_HEADER_BYTES + MAX_PAGE_BYTES);
  /** Where the held header belongs. */
  #heldAt: number | undefined;

  constructor(file: SyncFile) {
    this.#file = file;
  }

  read(into: Uint8Array, at: number): number {
    this.#release();
    return this.#file.read(into, at);
  }

  write(from: Uint8Array, at: number): void {
    const heldAt = this.#heldAt;
    if (heldAt !== undefined && at === heldAt + FRAME_HEADER_BYTES && from.length <= MAX_PAGE_BYTES) {
      this.#heldAt = undefined;
      this.#frame.set(from, FRAME_HEADER_BYTES);
      this.#file.write(this.#frame.subarray(0, FRAME_HEADER_BYTES + from.length), heldAt);
      return;
    }
    this.#release();
    if (from.length === FRAME_HEADER_BYTES) {
      this.#frame.set(from);
      this.#heldAt = at;
    } else this.#file.write(from, at);
  }

  truncate(size: number): void {
    this.#release();
    this.#file.truncate(size);
  }

  flush(): void {
    this.#release();
    this.#file.flush();
  }

  size(): number {
    this.#release();
    return this.#file.size();
  }

  /** A header without its page is no part of any commit: it is dropped, so that an abandoned log is not written to. */
  close(): void {
    this.#heldAt = undefined;
    this.#file.close();
  }

  #release(): void {
    if (this.#heldAt === undefined) return;
    const at = this.#heldAt;
    this.#heldAt = undefined;
    this.#file.write(this.#frame.subarray(0, FRAME_HEADER_BYTES), at);
  }
}
