import { array, assert, constant, nat, oneof, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { ClosedError } from "../../../src/errors.ts";
import { type OpenStorage, readAll, someBytes, StorageFixture } from "./storage-under-test.ts";

/** Bytes go in and out of one open file. */
export function describeFiles(open: OpenStorage): void {
  describe("an open file", () => {
    const fixture = new StorageFixture(open);

    it("starts empty", async () => {
      const file = (await fixture.own()).open("db");
      expect(file.size()).toBe(0);
      expect(file.read(new Uint8Array(10), 0)).toBe(0);
    });

    it("reads back what was written, at any offset", async () => {
      const file = (await fixture.own()).open("db");
      file.write(someBytes(10_000), 0);
      file.write(someBytes(5000, 2), 4000);
      const expected = someBytes(10_000);
      expected.set(someBytes(5000, 2), 4000);
      expect(readAll(file)).toEqual(expected);
    });

    it("reads fewer bytes only at its end, and leaves the rest of the buffer alone", async () => {
      const file = (await fixture.own()).open("db");
      file.write(someBytes(100), 0);
      const into = new Uint8Array(50).fill(0xee);
      expect(file.read(into, 80)).toBe(20);
      expect(into.subarray(0, 20)).toEqual(someBytes(100).subarray(80));
      expect(into.subarray(20)).toEqual(new Uint8Array(30).fill(0xee));
      expect(file.read(into, 100)).toBe(0);
      expect(file.read(into, 1_000_000)).toBe(0);
    });

    it("reads into, and writes from, a part of a larger buffer", async () => {
      const file = (await fixture.own()).open("db");
      const memory = someBytes(1000);
      file.write(memory.subarray(100, 200), 0);
      memory.fill(0, 100, 200);
      expect(file.read(memory.subarray(100, 200), 0)).toBe(100);
      expect(memory).toEqual(someBytes(1000));
    });

    it("keeps no reference to the buffers it was given", async () => {
      const file = (await fixture.own()).open("db");
      const buffer = someBytes(5000);
      file.write(buffer, 0);
      buffer.fill(0);
      expect(readAll(file)).toEqual(someBytes(5000));
    });

    it("fills a gap with zeros", async () => {
      const file = (await fixture.own()).open("db");
      file.write(someBytes(10), 0);
      file.write(someBytes(10), 20_000);
      expect(file.size()).toBe(20_010);
      const gap = new Uint8Array(19_990).fill(0xee);
      expect(file.read(gap, 10)).toBe(19_990);
      expect(gap.every((byte) => byte === 0)).toBe(true);
    });

    it("does nothing for an empty write, also beyond the end", async () => {
      const file = (await fixture.own()).open("db");
      file.write(new Uint8Array(0), 5000);
      expect(file.size()).toBe(0);
    });

    it("shrinks and grows by truncation; what was cut off comes back as zeros", async () => {
      const file = (await fixture.own()).open("db");
      file.write(someBytes(9000), 0);
      file.truncate(100);
      expect(file.size()).toBe(100);
      file.truncate(9000);
      const expected = new Uint8Array(9000);
      expected.set(someBytes(9000).subarray(0, 100));
      expect(readAll(file)).toEqual(expected);
    });

    it("flushes any number of times, with and without changes", async () => {
      const file = (await fixture.own()).open("db");
      file.flush();
      file.write(someBytes(10), 0);
      file.flush();
      file.flush();
      expect(readAll(file)).toEqual(someBytes(10));
    });

    it("closes any number of times and refuses every other call after that", async () => {
      const file = (await fixture.own()).open("db");
      file.close();
      file.close();
      expect(() => file.read(new Uint8Array(1), 0)).toThrow(ClosedError);
      expect(() => file.write(new Uint8Array(1), 0)).toThrow(ClosedError);
      expect(() => file.truncate(0)).toThrow(ClosedError);
      expect(() => file.flush()).toThrow(ClosedError);
      expect(() => file.size()).toThrow(ClosedError);
    });

    it("behaves like an array of bytes under any sequence of calls", async () => {
      const lease = await fixture.own();
      const offset = nat({ max: 20_000 });
      const call = oneof(
        record({ kind: constant("write" as const), at: offset, count: nat({ max: 9000 }) }),
        record({ kind: constant("read" as const), at: offset, count: nat({ max: 9000 }) }),
        record({ kind: constant("truncate" as const), at: offset, count: constant(0) }),
      );
      // On failure fast-check prints the seed and the path that replay it.
      assert(
        property(array(call, { maxLength: 30 }), (calls) => {
          const file = lease.open("db");
          file.truncate(0);
          let model = new Uint8Array(0);
          for (const [index, { kind, at, count }] of calls.entries()) {
            if (kind === "write" && count > 0) {
              model = resized(model, Math.max(model.length, at + count));
              model.set(someBytes(count, index), at);
            }
            if (kind === "write") file.write(someBytes(count, index), at);
            if (kind === "truncate") {
              model = resized(model, at);
              file.truncate(at);
            }
            const into = new Uint8Array(count);
            const expected = model.subarray(at, at + count);
            expect(file.read(into, at)).toBe(expected.length);
            expect(sameBytes(into.subarray(0, expected.length), expected)).toBe(true);
            expect(file.size()).toBe(model.length);
          }
          file.close();
        }),
        { numRuns: 50 },
      );
    });
  });
}

/** Much faster than `toEqual` on arrays of this length. */
function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function resized(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  return result;
}
