import { describe, expect, it } from "vitest";
import { type OpenStorage, readAll, someBytes, StorageFixture } from "./storage-under-test.ts";

/** The three files of a database come and go independently. */
export function describeEntries(open: OpenStorage): void {
  describe("the files of a database", () => {
    const fixture = new StorageFixture(open);

    it("are not there at first", async () => {
      const lease = await fixture.own();
      for (const name of ["db", "wal", "journal"] as const) expect(lease.exists(name)).toBe(false);
    });

    it("are there once they hold a byte, and not while they are empty", async () => {
      const lease = await fixture.own();
      const file = lease.open("wal");
      expect(lease.exists("wal")).toBe(false);
      file.write(someBytes(1), 0);
      expect(lease.exists("wal")).toBe(true);
      file.truncate(0);
      expect(lease.exists("wal")).toBe(false);
    });

    it("hold their own bytes each", async () => {
      const lease = await fixture.own();
      const names = ["db", "wal", "journal"] as const;
      const files = names.map((name) => lease.open(name));
      for (const [index, file] of files.entries()) file.write(someBytes(100, index), 0);
      for (const [index, file] of files.entries()) expect(readAll(file)).toEqual(someBytes(100, index));
    });

    it("show the same bytes to two openings", async () => {
      const lease = await fixture.own();
      const first = lease.open("db");
      const second = lease.open("db");
      first.write(someBytes(5000), 0);
      expect(readAll(second)).toEqual(someBytes(5000));
    });

    it.each([true, false])(
      "are gone after a deletion, and start empty when opened again (flush: %s)",
      async (flush) => {
        const lease = await fixture.own();
        const file = lease.open("journal");
        file.write(someBytes(5000), 0);
        file.close();
        lease.delete("journal", { flush });
        expect(lease.exists("journal")).toBe(false);
        expect(lease.open("journal").size()).toBe(0);
      },
    );

    it("may be deleted when they are not there", async () => {
      const lease = await fixture.own();
      lease.delete("wal", { flush: false });
      lease.delete("wal", { flush: true });
      expect(lease.exists("wal")).toBe(false);
    });

    it("pass verification while nobody touches them", async () => {
      const lease = await fixture.own();
      lease.verify();
      const file = lease.open("db");
      lease.verify();
      file.write(someBytes(10), 0);
      file.flush();
      lease.verify();
      file.close();
      lease.verify();
    });
  });
}
