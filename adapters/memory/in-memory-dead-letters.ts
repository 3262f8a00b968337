import type { DeadLetterEntry } from "../../src/contracts/broker.ts";
import { decodeEnvelope } from "../../src/core/envelope.ts";
import type { JsonObject } from "../../src/core/json.ts";

/** A dead letter as it is kept. */
export interface DeadMessage {
  readonly id: string;
  readonly queue: string;
  readonly text: string;
  readonly reason: string | undefined;
  readonly metaText: string;
  /** Milliseconds since the epoch. */
  readonly deadAt: number;
}

/** Dead letters of one namespace, one per queue and id, in the order they died. */
export class InMemoryDeadLetters {
  readonly #letters = new Map<string, DeadMessage>();

  /** Keeps `letter`; an older one with the same queue and id is replaced. */
  add(letter: DeadMessage): void {
    // A map keeps the place of a key that is set again; the newest letter has to come last.
    this.remove(letter);
    this.#letters.set(keyOf(letter.queue, letter.id), letter);
  }

  remove(letter: Readonly<{ queue: string; id: string }>): void {
    this.#letters.delete(keyOf(letter.queue, letter.id));
  }

  get(queue: string, id: string): DeadMessage | undefined {
    return this.#letters.get(keyOf(queue, id));
  }

  /** The queues that have letters. */
  queues(): readonly string[] {
    return [...this.#letters.values()].map(({ queue }) => queue);
  }

  /** Letters of a queue that died at or after `since`, the oldest first. */
  list(queue: string, since: Date | undefined): readonly DeadMessage[] {
    const from = since?.getTime() ?? Number.NEGATIVE_INFINITY;
    return [...this.#letters.values()]
      .filter((letter) => letter.queue === queue && letter.deadAt >= from)
      .sort((one, other) => one.deadAt - other.deadAt);
  }

  /** Deletes every letter that died at or before `instant`. */
  removeUntil(instant: number): void {
    for (const letter of [...this.#letters.values()]) {
      if (letter.deadAt <= instant) this.remove(letter);
    }
  }
}

/** Reads a stored letter; each call makes new objects. */
export function toDeadLetterEntry(letter: DeadMessage): DeadLetterEntry {
  return {
    envelope: decodeEnvelope(letter.text),
    ...(letter.reason === undefined ? {} : { reason: letter.reason }),
    meta: JSON.parse(letter.metaText) as JsonObject,
    deadAt: new Date(letter.deadAt),
  };
}

function keyOf(queue: string, id: string): string {
  return JSON.stringify([queue, id]);
}
