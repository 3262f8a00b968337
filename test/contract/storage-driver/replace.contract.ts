import { describe, expect, it } from "vitest";
import { type OpenStorage, readAll, someBytes, StorageFixture } from "./storage-under-test.ts";

/** What a new content of the database as a whole does, in one step. */
export function describeReplace(open: OpenStorage, canReplace: boolean): void {
  describe.skipIf(!canReplace)("replacing the database (skipped where the driver cannot)", () => {
    const fixture = new StorageFixture(open);

    it.each([
      { what: "nothing", before: 0, after: 9_000 },
      { what: "a smaller one", before: 5_000, after: 70_001 },
      { what: "a larger one", before: 70_001, after: 5_000 },
      { what: "one of the same size", before: 8_192, after: 8_192 },
      { what: "one, by an empty one", before: 8_192, after: 0 },
    ])("takes the place of $what", async ({ before, after }) => {
      const lease = await fixture.own();
      if (before > 0) lease.open("db").write(someBytes(before, 1), 0);
      await lease.durable();
      lease.replace?.(someBytes(after, 2));
      await lease.durable();
      expect(readAll(lease.open("db"))).toEqual(someBytes(after, 2));
      expect(lease.exists("db")).toBe(after > 0);
      expect(() => lease.verify()).not.toThrow();
    });

    it("can be repeated, and is what the next owner finds", async () => {
      const lease = await fixture.own();
      for (let round = 1; round <= 3; round += 1) {
        lease.open("db").write(someBytes(10, 9), 0);
        lease.replace?.(someBytes(20_000 + round, round));
        await lease.durable();
      }
      lease.replace?.(someBytes(100, 4));
      await lease.release();
      const next = fixture.driver.capabilities.persistent ? await fixture.own() : undefined;
      if (next !== undefined) expect(readAll(next.open("db"))).toEqual(someBytes(100, 4));
    });

    it("keeps no hold on what it was given, and leaves the logs alone", async () => {
      const lease = await fixture.own();
      lease.open("wal").write(someBytes(50, 5), 0);
      const image = someBytes(9_000);
      lease.replace?.(image);
      image.fill(0);
      expect(readAll(lease.open("db"))).toEqual(someBytes(9_000));
      expect(readAll(lease.open("wal"))).toEqual(someBytes(50, 5));
    });

    it("is refused once the lease is released", async () => {
      const lease = await fixture.own();
      await lease.release();
      expect(() => lease.replace?.(someBytes(10))).toThrow(expect.objectContaining({ code: "STEM_CLOSED" }));
    });
  });
}
