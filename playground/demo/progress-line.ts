const BAR_WIDTH = 30;
const PLAIN_INTERVAL_MS = 1_000;

/** Shows progress: one line that is rewritten on a terminal, a line each second elsewhere. */
export class ProgressLine {
  readonly #output: NodeJS.WriteStream;
  #latest = "";
  #shown = "";
  #shownAt = 0;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  show(done: number, total: number, note: string): void {
    const filled = Math.round((done / total) * BAR_WIDTH);
    const bar = `${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}`;
    this.#latest = `  [${bar}] ${String(done).padStart(3)} of ${total} jobs ended, ${note}`;
    if (this.#output.isTTY) this.#output.write(`\r${this.#latest}\u001B[K`);
    else if (Date.now() - this.#shownAt >= PLAIN_INTERVAL_MS) this.#showPlain();
  }

  /** Ends the line with the latest progress, so that other text can follow. */
  end(): void {
    if (this.#output.isTTY) this.#output.write("\n");
    else if (this.#shown !== this.#latest) this.#showPlain();
    this.#shownAt = 0;
  }

  #showPlain(): void {
    this.#output.write(`${this.#latest}\n`);
    this.#shown = this.#latest;
    this.#shownAt = Date.now();
  }
}
