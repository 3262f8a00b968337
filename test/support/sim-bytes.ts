const CHUNK = 4096;

/**
 * The bytes of one simulated file. Copies share all chunks until one of them writes, which makes a crash image of a
 * large file cost no more than a list of references.
 */
export class SimBytes {
  /** A missing chunk is all zeros, and so is everything beyond `size`. */
  #chunks: (Uint8Array | undefined)[] = [];
  /** The chunks that no copy shares. */
  #own = new Set<number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** An independent copy. */
  fork(): SimBytes {
    const copy = new SimBytes();
    copy.#chunks = this.#chunks.slice();
    copy.#size = this.#size;
    if (this.#own.size > 0) this.#own = new Set();
    return copy;
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - at));
    for (let done = 0; done < count;) {
      const offset = (at + done) % CHUNK;
      const length = Math.min(CHUNK - offset, count - done);
      const chunk = this.#chunks[Math.floor((at + done) / CHUNK)];
      if (chunk === undefined) into.fill(0, done, done + length);
      else into.set(chunk.subarray(offset, offset + length), done);
      done += length;
    }
    return count;
  }

  write(from: Uint8Array, at: number): void {
    for (let done = 0; done < from.length;) {
      const offset = (at + done) % CHUNK;
      const length = Math.min(CHUNK - offset, from.length - done);
      this.#writable(Math.floor((at + done) / CHUNK)).set(from.subarray(done, done + length), offset);
      done += length;
    }
    if (from.length > 0) this.#size = Math.max(this.#size, at + from.length);
  }

  resize(size: number): void {
    if (size < this.#size) {
      const kept = Math.ceil(size / CHUNK);
      this.#chunks.length = Math.min(this.#chunks.length, kept);
      const last = Math.floor(size / CHUNK);
      if (size % CHUNK !== 0 && this.#chunks[last] !== undefined) this.#writable(last).fill(0, size % CHUNK);
    }
    this.#size = size;
  }

  #writable(index: number): Uint8Array {
    const chunk = this.#chunks[index];
    if (chunk !== undefined && this.#own.has(index)) return chunk;
    const copy = chunk === undefined ? new Uint8Array(CHUNK) : chunk.slice();
    this.#chunks[index] = copy;
    this.#own.add(index);
    return copy;
  }
}
