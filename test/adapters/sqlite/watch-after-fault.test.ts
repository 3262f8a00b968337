import { expect, it } from "vitest";
import { SqliteResultBackend } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { StorageDriver, StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";
import { StorageIoError } from "../../../src/errors.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { onClock } from "./open-sqlite.ts";

/** Memory whose flush can be made to report a fault although everything was stored. */
function lyingStorage(fault: { next: boolean }): StorageDriver {
  const driver = memoryStorage();
  const spoil = (file: SyncFile): SyncFile => ({
    read: (into, at) => file.read(into, at),
    write: (from, at) => file.write(from, at),
    truncate: (size) => file.truncate(size),
    size: () => file.size(),
    close: () => file.close(),
    flush: () => {
      file.flush();
      if (!fault.next) return;
      fault.next = false;
      throw new StorageIoError("flush", "results.sqlite", "EIO");
    },
  });
  const wrap = (lease: StorageLease): StorageLease => ({
    path: lease.path,
    open: (name) => spoil(lease.open(name)),
    exists: (name) => lease.exists(name),
    delete: (name, options) => lease.delete(name, options),
    verify: () => lease.verify(),
    durable: () => lease.durable(),
    release: () => lease.release(),
  });
  return {
    ...driver,
    async acquire(database) {
      const acquisition = await driver.acquire(database);
      return acquisition.role === "owner" ? { ...acquisition, lease: wrap(acquisition.lease) } : acquisition;
    },
  };
}

it("a watch hears of a change whose commit had an unknown outcome and did take effect", async () => {
  const fault = { next: false };
  const backend = await SqliteResultBackend.open("results.sqlite", onClock(new FakeClock(), lyingStorage(fault)));
  await backend.set("task", "running");
  const watch = backend.watch("task");
  expect((await watch.next()).value?.state).toBe("running");
  fault.next = true;
  await expect(backend.set("task", "succeeded", { payload: 1 })).rejects.toMatchObject({ outcome: "unknown" });
  expect((await watch.next()).value).toMatchObject({ state: "succeeded", payload: 1 });
  expect((await watch.next()).done).toBe(true);
  await backend.close();
});
