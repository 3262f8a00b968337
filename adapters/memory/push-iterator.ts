/**
 * An async iterator that is fed by `push`: values wait, unbounded, until they are asked for. After `end` the waiting
 * values still come, then `done`; after `return` nothing comes any more.
 */
export class PushIterator<T> implements AsyncIterableIterator<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];
  readonly #release: (iterator: PushIterator<T>) => void;
  #ended = false;

  /** @param release called once, when nothing more will be taken. */
  constructor(release: (iterator: PushIterator<T>) => void) {
    this.#release = release;
  }

  push(value: T): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#values.push(value);
    else waiting({ done: false, value });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
    this.#release(this);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const [value] = this.#values.splice(0, 1) as [T?];
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    this.#values.length = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
