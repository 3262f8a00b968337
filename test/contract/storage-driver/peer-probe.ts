import type { PeerChannel, PeerListener } from "../../../src/contracts/storage-driver.ts";

/** One end of a channel that keeps what it is told. */
export class PeerProbe implements PeerListener {
  readonly channel: PeerChannel;
  readonly messages: unknown[] = [];
  /** The cause of each end; there is to be one. */
  readonly ends: unknown[] = [];
  readonly #looks = new Set<() => void>();

  /** Listens at once unless `isDeaf`. */
  constructor(channel: PeerChannel, isDeaf = false) {
    this.channel = channel;
    if (!isDeaf) channel.listen(this);
  }

  onMessage(message: unknown): void {
    this.messages.push(message);
    this.#look();
  }

  onClose(cause: unknown): void {
    this.ends.push(cause);
    this.#look();
  }

  /** Resolves once so many messages arrived, with all of them; rejects when the channel closes before. */
  async received(count: number): Promise<readonly unknown[]> {
    await this.#until(() => this.messages.length >= count || this.ends.length > 0);
    if (this.messages.length < count) throw new Error(`The channel closed: ${String(this.ends[0])}`);
    return this.messages;
  }

  /** Resolves once the channel closed, with the cause. */
  async closed(): Promise<unknown> {
    await this.#until(() => this.ends.length > 0);
    return this.ends[0];
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#looks) look();
  }
}
