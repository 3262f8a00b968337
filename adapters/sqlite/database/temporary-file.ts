/** A file of SQLite's own that nobody else sees (a sorter's spill, a statement journal): kept in memory. */
export class TemporaryFile {
  #bytes = new Uint8Array(0);
  #size = 0;

  read(into: Uint8Array, at: number): number {
    const part = this.#bytes.subarray(at, Math.min(this.#size, at + into.length));
    into.set(part);
    return part.length;
  }

  write(from: Uint8Array, at: number): void {
    const end = at + from.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2, 4096));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(from, at);
    this.#size = Math.max(this.#size, end);
  }

  truncate(size: number): void {
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = Math.min(size, this.#size);
  }

  size(): number {
    return this.#size;
  }
}
