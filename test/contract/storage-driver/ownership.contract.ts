import { describe, expect, it } from "vitest";
import { ClosedError, InvalidOptionError } from "../../../src/errors.ts";
import { type OpenStorage, someBytes, StorageFixture } from "./storage-under-test.ts";

/** A database has one owner at a time, by whatever name it is asked for. */
export function describeOwnership(open: OpenStorage): void {
  describe("the ownership of a database", () => {
    const fixture = new StorageFixture(open);

    it("goes to the first who asks; the others learn that there is an owner", async () => {
      await fixture.own();
      for (let attempt = 0; attempt < 3; attempt++) {
        const second = await fixture.driver.acquire(fixture.database);
        if (second.role === "owner") return expect.unreachable();
        expect(second.peer.description).toMatch(/./);
      }
    });

    it("goes to exactly one of many who ask at once", async () => {
      const asked = await Promise.all(Array.from({ length: 8 }, () => fixture.driver.acquire(fixture.database)));
      const owners = asked.filter(({ role }) => role === "owner");
      expect(owners).toHaveLength(1);
      for (const owner of owners) if (owner.role === "owner") await owner.lease.release();
    });

    it("is free again after the release", async () => {
      for (let round = 0; round < 3; round++) await (await fixture.own()).release();
    });

    it("is separate for each database", async () => {
      await fixture.own();
      await fixture.own(fixture.storage.otherDatabase);
    });

    it("comes with a lease that, when it says which driver has the bytes, says this one", async () => {
      const { name, capabilities } = fixture.driver;
      const { driver = fixture.driver } = await fixture.own();
      expect(driver).toMatchObject({ name, capabilities });
    });

    it("survives a second release by its former owner", async () => {
      const first = await fixture.own();
      await first.release();
      await fixture.own();
      await first.release();
      expect((await fixture.driver.acquire(fixture.database)).role).toBe("member");
    });

    it("ends every use of the lease and of files left open", async () => {
      const lease = await fixture.own();
      const file = lease.open("db");
      file.write(someBytes(10), 0);
      await lease.release();
      expect(() => lease.open("db")).toThrow(ClosedError);
      expect(() => lease.exists("db")).toThrow(ClosedError);
      expect(() => lease.delete("db", { flush: true })).toThrow(ClosedError);
      expect(() => lease.verify()).toThrow(ClosedError);
      expect(() => file.write(someBytes(10), 0)).toThrow(ClosedError);
    });

    it("is the same for every alias of the name", async () => {
      const identity = fixture.driver.identify(fixture.database);
      expect(fixture.driver.identify(identity)).toBe(identity);
      const lease = await fixture.own();
      lease.open("db").write(someBytes(10), 0);
      expect(fixture.driver.identify(fixture.database)).toBe(identity);
      for (const alias of [identity, ...fixture.storage.aliases]) {
        expect(fixture.driver.identify(alias)).toBe(identity);
        expect((await fixture.driver.acquire(alias)).role).toBe("member");
      }
    });

    it("is refused for a name that is empty or no text", async () => {
      for (const name of ["", "  ", undefined, 7]) {
        expect(() => fixture.driver.identify(name as string)).toThrow(InvalidOptionError);
        await expect(fixture.driver.acquire(name as string)).rejects.toThrow(InvalidOptionError);
      }
    });
  });
}
