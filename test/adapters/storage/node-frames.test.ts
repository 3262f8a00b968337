import { array, assert, integer, jsonValue, oneof, property, string, uint8Array } from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  FrameDecoder,
  FrameEncoder,
  FRAME_LIMITS,
  GREETING,
  parseFrame,
} from "../../../adapters/storage/node-frames.ts";
import { PayloadNotSerializableError, PayloadTooLargeError, StorageIoError } from "../../../src/errors.ts";

const SMALL = { first: 64, later: 256 };

describe("frames", () => {
  it("give the same messages however the bytes are divided", () => {
    // On failure fast-check prints the seed and the path that replay it.
    assert(
      property(
        array(jsonValue({ maxDepth: 3 }), { maxLength: 20 }),
        array(integer({ min: 1, max: 50 })),
        (values, cuts) => {
          const encoder = new FrameEncoder();
          for (const value of values) encoder.add(value);
          const bytes = Buffer.concat([GREETING, encoder.take()]);
          expect(encoder.waiting).toBe(0);
          const decoder = new FrameDecoder("db", false);
          const messages: unknown[] = [];
          let at = 0;
          for (let index = 0; at < bytes.length; index++) {
            const size = cuts[index % Math.max(1, cuts.length)] ?? bytes.length;
            messages.push(...decodeAll(decoder, bytes.subarray(at, at + size)));
            at += size;
          }
          expect(messages).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("end in a typed error or in patience for random bytes, and reserve no more than a frame may take", () => {
    const reserved = watchReservations();
    const noise = uint8Array({ maxLength: 400 });
    const almost = oneof(string(), noise).map((content) => framed(content));
    assert(
      property(array(oneof(noise, almost), { maxLength: 10 }), (chunks) => {
        const decoder = new FrameDecoder("db", true, SMALL);
        try {
          for (const chunk of chunks) decodeAll(decoder, Buffer.from(chunk));
        } catch (error) {
          expect(error).toBeInstanceOf(StorageIoError);
        }
      }),
      { numRuns: 5000 },
    );
    expect(Math.max(0, ...reserved)).toBeLessThanOrEqual(SMALL.later);
  });

  it("reserve memory for what arrived, not for what was announced", () => {
    const reserved = watchReservations();
    const decoder = new FrameDecoder("db", true, { first: FRAME_LIMITS.later, later: FRAME_LIMITS.later });
    expect(decodeAll(decoder, Buffer.concat([header(FRAME_LIMITS.later), Buffer.alloc(100)]))).toEqual([]);
    expect(Math.max(...reserved)).toBeLessThanOrEqual(64 * 1024);
  });

  it("copy a large message that arrives in small pieces a bounded number of times", () => {
    const reserved = watchReservations();
    const encoder = new FrameEncoder({ first: FRAME_LIMITS.later, later: FRAME_LIMITS.later });
    const text = "0123456789".repeat(400_000);
    encoder.add(text);
    const bytes = encoder.take();
    const decoder = new FrameDecoder("db", true, { first: FRAME_LIMITS.later, later: FRAME_LIMITS.later });
    const messages: unknown[] = [];
    for (let at = 0; at < bytes.length; at += 1000) messages.push(...decodeAll(decoder, bytes.subarray(at, at + 1000)));
    expect(messages).toEqual([text]);
    expect(reserved.reduce((sum, size) => sum + size, 0)).toBeLessThan(3 * bytes.length);
  });

  it.each([
    ["a length of zero", Buffer.alloc(4), "EPROTO"],
    ["a first message above its limit", header(SMALL.first + 1), "EMSGSIZE"],
    ["a later message above its limit", Buffer.concat([framed("1"), header(SMALL.later + 1)]), "EMSGSIZE"],
    ["the largest length there is", header(2 ** 32 - 1), "EMSGSIZE"],
    ["half a document", framed("[1,"), "EPROTO"],
    ["no document at all", framed(" "), "EPROTO"],
    ["text that is not UTF-8", framed(Uint8Array.of(0x22, 0xff, 0x22)), "EPROTO"],
    ["brackets without an end", framed("[".repeat(SMALL.first)), "EPROTO"],
  ])("are refused with a typed error: %s", (_, bytes, osCode) => {
    const decoder = new FrameDecoder("db", true, SMALL);
    const error = thrownBy(() => decodeAll(decoder, bytes));
    expect(error).toBeInstanceOf(StorageIoError);
    expect(error).toMatchObject({ details: { path: "db", osCode } });
  });

  it("follow a greeting, and no other", () => {
    const decoder = new FrameDecoder("db", false);
    expect(decodeAll(decoder, GREETING.subarray(0, 3))).toEqual([]);
    expect(decoder.isGreeted).toBe(false);
    expect(decodeAll(decoder, Buffer.concat([GREETING.subarray(3), framed("1")]))).toEqual([1]);
    expect(decoder.isGreeted).toBe(true);
    expect(thrownBy(() => decodeAll(new FrameDecoder("db", false), framed("1")))).toBeInstanceOf(StorageIoError);
  });

  it("take messages up to the limit of the first one and of the later ones, in bytes, and add nothing beyond", () => {
    const encoder = new FrameEncoder(SMALL);
    expect(() => encoder.add("x".repeat(SMALL.first - 1))).toThrow(PayloadTooLargeError);
    expect(() => encoder.add("ä".repeat(SMALL.first / 2))).toThrow(PayloadTooLargeError);
    expect(encoder.waiting).toBe(0);
    encoder.add("x".repeat(SMALL.first - 2));
    encoder.add("x".repeat(SMALL.later - 2));
    expect(() => encoder.add("x".repeat(SMALL.later - 1))).toThrow(PayloadTooLargeError);
    expect(() => encoder.add(undefined)).toThrow(PayloadNotSerializableError);
    expect(encoder.waiting).toBe(SMALL.first + SMALL.later + 8);
    expect(decodeAll(new FrameDecoder("db", true, SMALL), encoder.take())).toHaveLength(2);
  });
});

function decodeAll(decoder: FrameDecoder, chunk: Buffer): unknown[] {
  decoder.push(chunk);
  const messages: unknown[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) messages.push(parseFrame("db", frame));
  return messages;
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return bytes;
}

function framed(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([header(bytes.length), bytes]);
}

/** The sizes of the buffers that the decoder reserves from now on. */
function watchReservations(): readonly number[] {
  const sizes: number[] = [];
  const reserve = Buffer.allocUnsafeSlow.bind(Buffer);
  const spy = vi.spyOn(Buffer, "allocUnsafeSlow").mockImplementation((size) => {
    sizes.push(size);
    return reserve(size);
  });
  onTestFinished(() => spy.mockRestore());
  return sizes;
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return expect.unreachable("nothing was thrown");
}
