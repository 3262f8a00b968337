import type { BroadcastGap } from "../../src/contracts/broker.ts";

/** Finds what a consumer missed of its broadcast channels, by the numbers of what it got. */
export class ChannelSequences {
  readonly #channels: readonly string[];
  readonly #onGap: (gap: BroadcastGap) => void;
  readonly #last = new Map<string, number>();

  constructor(channels: readonly string[], onGap: (gap: BroadcastGap) => void) {
    this.#channels = channels;
    this.#onGap = onGap;
  }

  /** The owner has taken the consumer on; `sequences` are the last numbers of its channels, in their order. */
  consumed(sequences: readonly number[]): void {
    for (const [index, channel] of this.#channels.entries()) {
      const sequence = sequences[index] ?? 0;
      const last = this.#last.get(channel);
      if (last === undefined) this.#last.set(channel, sequence);
      else this.#skip(channel, sequence - last);
    }
  }

  /** A broadcast has come. */
  arrived(channel: string, sequence: number): void {
    const last = this.#last.get(channel);
    // A channel that was not used for long begins again at 1.
    if (last !== undefined && sequence > last + 1) this.#skip(channel, sequence - last - 1);
    this.#last.set(channel, sequence);
  }

  #skip(channel: string, missed: number): void {
    if (missed <= 0) return;
    this.#last.set(channel, (this.#last.get(channel) ?? 0) + missed);
    this.#onGap({ channel, missed });
  }
}
