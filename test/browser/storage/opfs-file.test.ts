import { describe, expect, it } from "vitest";
import { OpfsFile } from "../../../adapters/storage/web/opfs-file.ts";
import { ClosedError, StorageFullError, StorageIoError } from "../../../src/errors.ts";

/** A file on a handle of which some calls are replaced. */
function fileOn(calls: Partial<Record<"read" | "write" | "truncate" | "flush" | "getSize", () => unknown>>): OpfsFile {
  return new OpfsFile(calls, "/jobs", () => false);
}

const failing = (name: string) => (): never => {
  throw new DOMException("made up", name);
};

describe("a file of the private file system", () => {
  it.each([0, 99, 0xfffffff8])("is full when a write of 100 bytes claims to have written %i", (count) => {
    expect(() => fileOn({ write: () => count }).write(new Uint8Array(100), 0)).toThrow(StorageFullError);
  });

  it.each([101, 0xfffffffc, -1, 0.5, Number.NaN, undefined])(
    "has failed when a write of 100 bytes claims to have written %s",
    (count) => {
      expect(() => fileOn({ write: () => count }).write(new Uint8Array(100), 0)).toThrow(StorageIoError);
    },
  );

  it.each([11, 0xfffffff8, -1, undefined])("has failed when a read of 10 bytes claims to have read %s", (count) => {
    expect(() => fileOn({ read: () => count }).read(new Uint8Array(10), 0)).toThrow(StorageIoError);
  });

  it.each([-1, 2 ** 64, Promise.resolve(1)])("has failed when it claims to have a size of %s", (size) => {
    expect(() => fileOn({ getSize: () => size }).size()).toThrow(StorageIoError);
  });

  it("reads on after a short read, until there is nothing more", () => {
    const counts = [4, 3, 0];
    expect(fileOn({ read: () => counts.shift() }).read(new Uint8Array(10), 0)).toBe(7);
    expect(counts).toEqual([]);
  });

  it("tells a lack of room from other faults", () => {
    const full = failing("QuotaExceededError");
    const file = fileOn({ write: full, truncate: full, flush: full });
    expect(() => file.write(new Uint8Array(1), 0)).toThrow(StorageFullError);
    expect(() => file.truncate(5)).toThrow(StorageFullError);
    expect(() => file.flush()).toThrow(StorageFullError);
    expect(() => fileOn({ flush: failing("InvalidStateError") }).flush()).toThrow(
      new StorageIoError("flush", "/jobs", "InvalidStateError"),
    );
  });

  it("is closed with its lease", () => {
    const file = new OpfsFile({}, "/jobs", () => true);
    expect(() => file.read(new Uint8Array(0), 0)).toThrow(ClosedError);
    expect(() => file.write(new Uint8Array(0), 0)).toThrow(ClosedError);
  });
});
