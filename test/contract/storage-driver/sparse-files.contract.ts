import { describe, expect, it } from "vitest";
import { type OpenStorage, someBytes, StorageFixture } from "./storage-under-test.ts";

const FAR = 2 ** 32 + 5;

/** Offsets need more than 32 bits. */
export function describeSparseFiles(open: OpenStorage, sparse: boolean): void {
  describe.skipIf(!sparse)("a file beyond 4 GiB (skipped where it would take 4 GiB of memory)", () => {
    const fixture = new StorageFixture(open);

    it("keeps what lies beyond apart from what lies 4 GiB before it", async () => {
      const file = (await fixture.own()).open("db");
      file.write(someBytes(100, 1), 5);
      file.write(someBytes(100, 2), FAR);
      expect(file.size()).toBe(FAR + 100);
      const near = new Uint8Array(100);
      const far = new Uint8Array(200);
      expect(file.read(near, 5)).toBe(100);
      expect(file.read(far, FAR)).toBe(100);
      expect(near).toEqual(someBytes(100, 1));
      expect(far.subarray(0, 100)).toEqual(someBytes(100, 2));
    });

    it("can be cut there", async () => {
      const file = (await fixture.own()).open("db");
      file.write(someBytes(100), FAR);
      file.truncate(FAR + 1);
      expect(file.size()).toBe(FAR + 1);
      file.truncate(FAR + 10);
      const end = new Uint8Array(10);
      expect(file.read(end, FAR)).toBe(10);
      expect(end).toEqual(Uint8Array.of(someBytes(1)[0] ?? 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    });
  });
}
