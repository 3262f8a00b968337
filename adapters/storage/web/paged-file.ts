import { StorageFullError } from "../../../src/errors.ts";

/** How much of a file one stored record holds. */
export const PAGE_BYTES = 8192;

/** What became of a file since the last time this was asked. */
export interface FileChanges {
  readonly size: number;
  /** Pages from here on are gone, unless they are among `pages`; `undefined` when none is. */
  readonly cutAt: number | undefined;
  /** The present content of pages that changed, by index. The bytes are the file's own: copy them before it goes on. */
  readonly pages: readonly (readonly [index: number, bytes: Uint8Array<ArrayBuffer>])[];
}

/** A file in memory that knows which of its pages have changed. What lies beyond its size is zero in every page. */
export class PagedFile {
  readonly #path: string;
  readonly #pages: Map<number, Uint8Array<ArrayBuffer>>;
  readonly #dirty = new Set<number>();
  #size: number;
  #savedSize: number;
  #cutAt: number | undefined;

  /** `pages` become the file's own; those that are missing are zero. */
  constructor(path: string, size = 0, pages: Map<number, Uint8Array<ArrayBuffer>> = new Map()) {
    this.#path = path;
    this.#pages = pages;
    this.#size = size;
    this.#savedSize = size;
  }

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - at));
    for (let done = 0; done < count;) {
      const start = (at + done) % PAGE_BYTES;
      const length = Math.min(count - done, PAGE_BYTES - start);
      const page = this.#pages.get(Math.floor((at + done) / PAGE_BYTES));
      if (page === undefined) into.fill(0, done, done + length);
      else into.set(page.subarray(start, start + length), done);
      done += length;
    }
    return count;
  }

  write(from: Uint8Array, at: number): void {
    if (from.length === 0) return;
    const end = at + from.length;
    // All of the room first: a write is done as a whole or not at all.
    for (let index = Math.floor(at / PAGE_BYTES); index * PAGE_BYTES < end; index++) this.#page(index);
    for (let done = 0; done < from.length;) {
      const index = Math.floor((at + done) / PAGE_BYTES);
      const start = (at + done) % PAGE_BYTES;
      const length = Math.min(from.length - done, PAGE_BYTES - start);
      const part = from.subarray(done, done + length);
      const page = this.#page(index);
      if (!holds(page, start, part)) {
        page.set(part, start);
        this.#dirty.add(index);
      }
      done += length;
    }
    this.#size = Math.max(this.#size, end);
  }

  resize(size: number): void {
    if (size < this.#size) this.#cut(size);
    this.#size = size;
  }

  /** What changed since the last call, or since the file was loaded; `undefined` when nothing did. */
  takeChanges(): FileChanges | undefined {
    if (this.#dirty.size === 0 && this.#cutAt === undefined && this.#size === this.#savedSize) return undefined;
    const pages = [...this.#dirty].map((index) => [index, this.#page(index)] as const);
    const changes: FileChanges = { size: this.#size, cutAt: this.#cutAt, pages };
    this.#dirty.clear();
    this.#cutAt = undefined;
    this.#savedSize = this.#size;
    return changes;
  }

  #cut(size: number): void {
    const whole = Math.floor(size / PAGE_BYTES);
    const first = Math.ceil(size / PAGE_BYTES);
    for (const index of this.#pages.keys()) {
      if (index < first) continue;
      this.#pages.delete(index);
      this.#dirty.delete(index);
    }
    this.#cutAt = Math.min(first, this.#cutAt ?? first);
    const last = whole < first ? this.#pages.get(whole) : undefined;
    if (last === undefined) return;
    last.fill(0, size % PAGE_BYTES);
    this.#dirty.add(whole);
  }

  #page(index: number): Uint8Array<ArrayBuffer> {
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    try {
      const page = new Uint8Array(PAGE_BYTES);
      this.#pages.set(index, page);
      return page;
    } catch (error) {
      throw new StorageFullError(this.#path, error);
    }
  }
}

/** Whether the page has these bytes already, as when a log is written once more; what differs, does so early on. */
function holds(page: Uint8Array, start: number, part: Uint8Array): boolean {
  for (let index = 0; index < part.length; index++) if (page[start + index] !== part[index]) return false;
  return true;
}
