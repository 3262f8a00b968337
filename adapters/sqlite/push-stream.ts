interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/**
 * An async iterator that is fed by `push`: values wait, without limit, until they are asked for, and answer several
 * `next()` at once in order. After `end` the waiting values still come, then `done`; after `fail` they come too, then
 * the error, each time; after `return` nothing comes any more.
 */
export class PushStream<T> implements AsyncIterableIterator<T> {
  readonly #release: () => Promise<void>;
  readonly #values: T[] = [];
  readonly #waiters: Waiter<T>[] = [];
  #released: Promise<void> | undefined;
  #failure: Readonly<{ error: unknown }> | undefined;

  /** `release` is called once, when no more values are taken. It must not reject. */
  constructor(release: () => Promise<void>) {
    this.#release = release;
  }

  /** Gives a value to whoever waits, or keeps it; without effect once the stream has ended. */
  push(value: T): void {
    if (this.#released !== undefined) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#values.push(value);
    else waiter.resolve({ done: false, value });
  }

  /** Takes no more values; resolves when what fed the stream is released. Idempotent. */
  end(): Promise<void> {
    return this.#stop((waiter) => waiter.resolve({ done: true, value: undefined }));
  }

  /** Like `end`, with an error for the reader; without effect once the stream has ended. */
  fail(error: unknown): Promise<void> {
    if (this.#released === undefined) this.#failure = { error };
    return this.#stop((waiter) => waiter.reject(error));
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#values.length > 0) return Promise.resolve({ done: false, value: this.#values.shift() as T });
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#released !== undefined) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => void this.#waiters.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#values.length = 0;
    this.#failure = undefined;
    await this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #stop(tell: (waiter: Waiter<T>) => void): Promise<void> {
    if (this.#released !== undefined) return this.#released;
    this.#released = this.#release();
    for (const waiter of this.#waiters.splice(0)) tell(waiter);
    return this.#released;
  }
}
