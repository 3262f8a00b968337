const REMEMBERED = 10_000;

/** The tokens acked last, so that acking one twice is told from acking somebody else's delivery. */
export class RecentTokens {
  readonly #tokens = new Set<number>();

  add(token: number): void {
    this.#tokens.add(token);
    if (this.#tokens.size <= REMEMBERED) return;
    for (const oldest of this.#tokens) {
      this.#tokens.delete(oldest);
      break;
    }
  }

  delete(token: number): void {
    this.#tokens.delete(token);
  }

  has(token: number): boolean {
    return this.#tokens.has(token);
  }
}
