const REMEMBERED = 10_000;

/** The tokens acked last, so that acking one twice is told from acking somebody else's delivery. */
export class RecentTokens {
  readonly #tokens = new Set<number>();
  /** The same in order of arrival, as a ring: the oldest member of a set that always changes is slow to find. */
  readonly #ring: number[] = [];
  #next = 0;

  add(token: number): void {
    if (this.#tokens.has(token)) return;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#tokens.delete(oldest);
    this.#tokens.add(token);
    this.#ring[this.#next] = token;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  delete(token: number): void {
    this.#tokens.delete(token);
  }

  has(token: number): boolean {
    return this.#tokens.has(token);
  }
}
