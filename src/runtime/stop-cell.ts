import { describeError, type ErrorDescription, reviveError } from "../error-transfer.ts";
import type { StemError } from "../errors.ts";

const LENGTHS_BYTES = 8;
const SLOT_BYTES = 4_096;
/** Leaves room for names and codes, and for six bytes per UTF-16 unit. */
const LONGEST_MESSAGE = 500;
const REASON = 0;
const DEMAND = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Memory that two threads share, and through which one tells the other to stop: a handler in a loop receives no
 * messages, but sees this at its checkpoints. It holds two errors, each written once: why the signal fires, and what
 * checkpoints throw. A length that is not 0 says that the bytes are there.
 */
export class StopCell {
  readonly buffer: SharedArrayBuffer;
  readonly #lengths: Int32Array;

  /** @param buffer another thread's cell; a new one when absent. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(LENGTHS_BYTES + 2 * SLOT_BYTES)) {
    this.buffer = buffer;
    this.#lengths = new Int32Array(buffer, 0, 2);
  }

  /** Why the signal fires; the first that is set stays. */
  get reason(): StemError | undefined {
    return this.#read(REASON);
  }
  set reason(error: StemError | undefined) {
    this.#write(REASON, error);
  }

  /** What checkpoints throw; the first that is set stays. */
  get demanded(): StemError | undefined {
    return this.#read(DEMAND);
  }
  set demanded(error: StemError | undefined) {
    this.#write(DEMAND, error);
  }

  #read(slot: number): StemError | undefined {
    const length = Atomics.load(this.#lengths, slot);
    if (length === 0) return undefined;
    const bytes = new Uint8Array(this.buffer, LENGTHS_BYTES + slot * SLOT_BYTES, length).slice();
    return reviveError(JSON.parse(decoder.decode(bytes)) as ErrorDescription);
  }

  #write(slot: number, error: StemError | undefined): void {
    if (error === undefined || Atomics.load(this.#lengths, slot) !== 0) return;
    const bytes = encode(error);
    new Uint8Array(this.buffer, LENGTHS_BYTES + slot * SLOT_BYTES, SLOT_BYTES).set(bytes);
    Atomics.store(this.#lengths, slot, bytes.length);
  }
}

/** Causes stay behind, and details too when they are long. */
function encode(error: StemError): Uint8Array {
  const { name, code, retryable, outcome, details, message } = describeError(error);
  const brief = { name, code, retryable, outcome, details: {}, message: message.slice(0, LONGEST_MESSAGE) };
  const whole = encoder.encode(JSON.stringify({ ...brief, details, message }));
  return whole.length <= SLOT_BYTES ? whole : encoder.encode(JSON.stringify(brief));
}
