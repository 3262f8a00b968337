import { describe, expect, it } from "vitest";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { StorageFullError } from "../../../src/errors.ts";
import { describeStorageDriverContract } from "../../contract/storage-driver/index.ts";

describeStorageDriverContract("memory", async () => ({
  driver: memoryStorage(),
  database: "jobs",
  aliases: [" jobs ", "jobs\n"],
  otherDatabase: "results",
  cleanup: async () => undefined,
}));

describe("memory storage", () => {
  it("shares nothing between two instances", async () => {
    const first = await memoryStorage().acquire("jobs");
    const second = await memoryStorage().acquire("jobs");
    expect([first.role, second.role]).toEqual(["owner", "owner"]);
  });

  it("reports a size that memory cannot hold as a full storage, and keeps what it has", async () => {
    const acquisition = await memoryStorage().acquire("jobs");
    if (acquisition.role !== "owner") return expect.unreachable();
    const file = acquisition.lease.open("db");
    file.write(Uint8Array.of(1, 2, 3), 0);
    expect(() => file.write(Uint8Array.of(4), 2 ** 50)).toThrow(StorageFullError);
    expect(() => file.truncate(2 ** 50)).toThrow(StorageFullError);
    expect(file.size()).toBe(3);
  });
});
