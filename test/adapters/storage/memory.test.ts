import { describe, expect, it } from "vitest";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { sharedMemoryStorage } from "../../../adapters/storage/shared-memory.ts";
import { StorageFullError } from "../../../src/errors.ts";
import { describeStorageDriverContract } from "../../contract/storage-driver/index.ts";

describeStorageDriverContract(
  "memory",
  async () => ({
    driver: memoryStorage(),
    database: "jobs",
    aliases: [" jobs ", "jobs\n"],
    otherDatabase: "results",
    cleanup: async () => undefined,
  }),
  { replace: true },
);

describeStorageDriverContract(
  "shared memory",
  async () => ({
    driver: sharedMemoryStorage().driver(),
    database: "jobs",
    aliases: [" jobs "],
    otherDatabase: "results",
    cleanup: async () => undefined,
  }),
  { replace: true },
);

describe("shared memory storage", () => {
  it("has one owner among its drivers, whom the others reach, and one memory", async () => {
    const storage = sharedMemoryStorage();
    const [first, second] = [storage.driver(), storage.driver()];
    const acquisition = await first.acquire("jobs");
    if (acquisition.role !== "owner") return expect.unreachable();
    acquisition.lease.accept?.((channel) => {
      channel.listen({ onMessage: (message) => channel.send(message), onClose: () => undefined });
    });
    expect((await second.acquire("jobs")).role).toBe("member");
    const channel = await (await second.meet?.("jobs"))?.connect();
    const echo = new Promise((resolve) => channel?.listen({ onMessage: resolve, onClose: resolve }));
    channel?.send("hello");
    expect(await echo).toBe("hello");
    acquisition.lease.open("db").write(Uint8Array.of(1, 2, 3), 0);
    await acquisition.lease.release();
    const next = await second.acquire("jobs");
    if (next.role !== "owner") return expect.unreachable();
    expect(next.lease.open("db").size()).toBe(3);
    expect(first.capabilities.exclusiveAcrossContexts).toBe(true);
  });

  it("shares nothing with another one", async () => {
    const drivers = [sharedMemoryStorage().driver(), sharedMemoryStorage().driver()];
    const roles = await Promise.all(drivers.map(async (driver) => (await driver.acquire("jobs")).role));
    expect(roles).toEqual(["owner", "owner"]);
  });
});

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
