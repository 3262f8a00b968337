const REMEMBERED = 10_000;

/** The tokens settled last, so that settling one twice is told from settling somebody else's delivery. */
export class SettledTokens {
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
