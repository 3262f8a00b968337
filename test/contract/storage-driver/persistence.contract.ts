import { describe, expect, it } from "vitest";
import { type OpenStorage, readAll, someBytes, StorageFixture } from "./storage-under-test.ts";

/** What was written is there for the next owner. */
export function describePersistence(open: OpenStorage): void {
  describe("a database that was released", () => {
    const fixture = new StorageFixture(open);

    it("shows its bytes to the next owner", async () => {
      const before = await fixture.own();
      for (const name of ["db", "wal"] as const) {
        const file = before.open(name);
        file.write(someBytes(10_000, name.length), 0);
        file.flush();
        file.close();
      }
      await before.durable();
      await before.release();
      const after = await fixture.own();
      expect(readAll(after.open("db"))).toEqual(someBytes(10_000, 2));
      expect(readAll(after.open("wal"))).toEqual(someBytes(10_000, 3));
      expect(after.exists("journal")).toBe(false);
    });

    it("shows nothing of it in another database", async () => {
      const lease = await fixture.own();
      lease.open("db").write(someBytes(10), 0);
      const other = await fixture.own(fixture.storage.otherDatabase);
      expect(other.exists("db")).toBe(false);
    });
  });
}
