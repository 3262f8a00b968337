import { isUtf8 } from "node:buffer";
import { PayloadTooLargeError, StorageIoError } from "../../src/errors.ts";
import { messageToJson } from "./peer-message.ts";

/** How many bytes of JSON one message may take. */
export interface FrameLimits {
  /** The first message of a connection, in each direction: whoever sent it is not known yet. */
  readonly first: number;
  readonly later: number;
}

/** 64 KiB for the first message of a connection, 128 MiB for every later one. */
export const FRAME_LIMITS: FrameLimits = Object.freeze({ first: 64 * 1024, later: 128 * 1024 * 1024 });

/**
 * The first bytes of whoever opens a connection in order to talk. Others only look whether somebody listens, and say
 * nothing. The digit is the version of the frames.
 */
export const GREETING: Buffer = Buffer.from("stm1", "latin1");

const HEADER_SIZE = 4;
const SMALLEST_BUFFER = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/**
 * Turns messages into frames: the length in bytes as 32 bits, little endian, then that much JSON in UTF-8. Collects
 * frames until they are taken, all in one piece.
 */
export class FrameEncoder {
  readonly #limits: FrameLimits;
  readonly #texts: string[] = [];
  readonly #sizes: number[] = [];
  #limit: number;
  #waiting = 0;

  constructor(limits: FrameLimits = FRAME_LIMITS) {
    this.#limits = limits;
    this.#limit = limits.first;
  }

  /** How many bytes were added and not taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Adds a copy of a message, or throws `PayloadTooLargeError` and adds nothing. */
  add(message: unknown): void {
    const text = messageToJson(message);
    const size = Buffer.byteLength(text);
    if (size > this.#limit) throw new PayloadTooLargeError("A message between two processes", this.#limit, size);
    this.#limit = this.#limits.later;
    this.#texts.push(text);
    this.#sizes.push(size);
    this.#waiting += HEADER_SIZE + size;
  }

  /** Gives the frames of all messages that were added since the last time, in order. */
  take(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#waiting);
    let at = 0;
    for (const [index, text] of this.#texts.entries()) {
      const size = this.#sizes[index] ?? 0;
      at = bytes.writeUInt32LE(size, at);
      at += bytes.write(text, at, size, "utf8");
    }
    this.#texts.length = 0;
    this.#sizes.length = 0;
    this.#waiting = 0;
    return bytes;
  }
}

/**
 * Cuts a stream of bytes into the frames of a {@link FrameEncoder}, however the stream was divided. Reserves memory as
 * bytes arrive, never for a length that was only announced, and copies each byte a bounded number of times.
 */
export class FrameDecoder {
  readonly #path: string;
  readonly #limits: FrameLimits;
  #limit: number;
  #isGreeted: boolean;
  #input: Buffer = EMPTY;
  #at = 0;
  #length: number | undefined;
  #partial: Buffer = EMPTY;
  #filled = 0;

  /** `path` is what errors call the connection. Without `isGreeted` the stream starts with {@link GREETING}. */
  constructor(path: string, isGreeted: boolean, limits: FrameLimits = FRAME_LIMITS) {
    this.#path = path;
    this.#isGreeted = isGreeted;
    this.#limits = limits;
    this.#limit = limits.first;
  }

  /** Whether the greeting has arrived, and frames may follow. */
  get isGreeted(): boolean {
    return this.#isGreeted;
  }

  /** Adds bytes that arrived; take all frames out before the next call. The decoder keeps `chunk`. */
  push(chunk: Buffer): void {
    const rest = this.#input.subarray(this.#at);
    this.#input = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
  }

  /**
   * The content of the next whole frame, or `undefined` until more bytes were pushed. Throws `StorageIoError` for a
   * length that no frame has, and for another greeting; the stream has no meaning from there on.
   */
  next(): Buffer | undefined {
    if (!this.#isGreeted) {
      const greeting = this.#take(GREETING.length);
      if (greeting === undefined) return undefined;
      if (!greeting.equals(GREETING)) throw new StorageIoError("read", this.#path, "EPROTO");
      this.#isGreeted = true;
    }
    if (this.#length === undefined) {
      const header = this.#take(HEADER_SIZE);
      if (header === undefined) return undefined;
      this.#length = this.#checkLength(header.readUInt32LE(0));
    }
    const frame = this.#take(this.#length);
    if (frame === undefined) return undefined;
    this.#length = undefined;
    this.#limit = this.#limits.later;
    return frame;
  }

  #checkLength(length: number): number {
    if (length === 0) throw new StorageIoError("read", this.#path, "EPROTO");
    if (length > this.#limit) throw new StorageIoError("read", this.#path, "EMSGSIZE");
    return length;
  }

  #take(count: number): Buffer | undefined {
    const there = this.#input.length - this.#at;
    if (this.#filled === 0 && there >= count) {
      this.#at += count;
      return this.#input.subarray(this.#at - count, this.#at);
    }
    const added = Math.min(count - this.#filled, there);
    if (added > 0) {
      this.#reserve(this.#filled + added, count);
      this.#input.copy(this.#partial, this.#filled, this.#at, this.#at + added);
      this.#filled += added;
      this.#at += added;
    }
    // A consumed chunk would be kept alive until the next one.
    if (this.#at === this.#input.length) {
      this.#input = EMPTY;
      this.#at = 0;
    }
    if (this.#filled < count) return undefined;
    const whole = this.#partial;
    this.#partial = EMPTY;
    this.#filled = 0;
    return whole;
  }

  /** Doubles, so that many small chunks are not copied again and again; the last step is exact. */
  #reserve(size: number, whole: number): void {
    if (size <= this.#partial.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(whole, Math.max(size, this.#partial.length * 2, SMALLEST_BUFFER)));
    this.#partial.copy(grown, 0, 0, this.#filled);
    this.#partial = grown;
  }
}

/** Reads the content of a frame; throws `StorageIoError` with the code `EPROTO` for what is not JSON in UTF-8. */
export function parseFrame(path: string, content: Buffer): unknown {
  if (!isUtf8(content)) throw new StorageIoError("read", path, "EPROTO");
  try {
    return JSON.parse(content.toString("utf8")) as unknown;
  } catch (error) {
    throw new StorageIoError("read", path, "EPROTO", error);
  }
}
