import { describe, expect, it } from "vitest";
import {
  headerKind,
  MAGIC_BYTES,
  magicFor,
  masked,
  unmask,
} from "../../../../adapters/sqlite/database/header-guard.ts";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import type { StorageDriver } from "../../../../src/contracts/storage-driver.ts";
import { aLease, openTestDatabase } from "./open-engine.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const SQLITE = text("SQLite format 3\0");

async function head(driver: StorageDriver): Promise<string> {
  const lease = await aLease(driver);
  const file = lease.open("db");
  const bytes = new Uint8Array(MAGIC_BYTES);
  file.read(bytes, 0);
  file.close();
  await lease.release();
  return new TextDecoder().decode(bytes);
}

describe("database/header-guard", () => {
  it("tells what a file is by its start", () => {
    expect(headerKind(new Uint8Array(0))).toBe("empty");
    expect(headerKind(SQLITE)).toBe("sqlite");
    expect(headerKind(magicFor(true))).toBe("guarded");
    expect(headerKind(magicFor(false))).toBe("sqlite");
    for (const other of [
      "SQLite format 3",
      "SQLite format 4\0",
      "sqlite format 3\0",
      "\0".repeat(16),
      "stem-sqlite",
      "x",
    ]) {
      expect(headerKind(text(other)), other).toBe("other");
    }
  });

  it("masks a copy and unmasks whatever part is read", () => {
    const page = Uint8Array.from({ length: 100 }, (_, index) => SQLITE[index] ?? index);
    const guarded = masked(page);
    expect(headerKind(guarded)).toBe("guarded");
    expect(guarded.subarray(16)).toEqual(page.subarray(16));
    expect(headerKind(page)).toBe("sqlite");
    for (let at = 0; at < 20; at += 1) {
      for (const length of [1, 5, 16, 80]) {
        if (at === 0 && length < MAGIC_BYTES) continue;
        const part = guarded.slice(at, at + length);
        unmask(part, at);
        expect(part, `${length} bytes at ${at}`).toEqual(page.slice(at, at + length));
      }
    }
  });

  it("leaves a file that is not masked as it is", () => {
    const plain = text("something else, longer than sixteen");
    const read = plain.slice();
    unmask(read, 0);
    expect(read).toEqual(plain);
  });

  it("stands in the file while it is open, is restored by a clean close, and stays after an end without one", async () => {
    const driver = memoryStorage();
    const lease = await aLease(driver);
    const { database, recovered } = await openTestDatabase(lease);
    expect(recovered).toBe(false);
    expect(database.files.header()).toBe("guarded");
    database.run("insert into revocations values ('n', 't', 1, 1, 0, null, null, null)");
    expect(database.files.header()).toBe("guarded");
    database.close();
    await lease.release();
    expect(await head(driver)).toBe("SQLite format 3\0");

    const second = await aLease(driver);
    const opened = await openTestDatabase(second);
    expect(opened.recovered).toBe(false);
    expect(opened.database.get("select count(*) as n from revocations")).toEqual({ n: 1 });
    opened.database.abandon();
    await second.release();
    expect(await head(driver)).toBe("stem-sqlite open");

    const third = await aLease(driver);
    const again = await openTestDatabase(third);
    expect(again.recovered).toBe(true);
    expect(again.database.get("select count(*) as n from revocations")).toEqual({ n: 1 });
    again.database.close();
    await third.release();
    expect(await head(driver)).toBe("SQLite format 3\0");
  });
});
