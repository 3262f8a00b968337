import { describe, expect, it } from "vitest";
import type { StorageLease, SyncFile } from "../../../src/contracts/storage-driver.ts";
import { StorageFullError, StorageIoError } from "../../../src/errors.ts";
import { readAll, someBytes } from "../../contract/storage-driver/storage-under-test.ts";
import { SimDisk } from "../../support/sim-disk.ts";
import type { SimCrashMode } from "../../support/sim-replay.ts";
import { createSimRandom } from "../../support/sim-random.ts";

describe("a simulated disk", () => {
  it("records every call that changes it, and a flush of a new file as two", async () => {
    const disk = new SimDisk();
    const lease = await own(disk);
    const file = lease.open("db");
    file.write(someBytes(3), 7);
    file.read(new Uint8Array(3), 7);
    file.flush();
    file.flush();
    file.truncate(1);
    lease.delete("db", { flush: true });
    lease.delete("wal", { flush: false });
    expect(disk.operations).toEqual([
      { kind: "create", file: 0, entry: "jobs/db" },
      { kind: "write", file: 0, at: 7, bytes: someBytes(3) },
      { kind: "flush", file: 0 },
      { kind: "flush-directory" },
      { kind: "flush", file: 0 },
      { kind: "truncate", file: 0, size: 1 },
      { kind: "delete", entry: "jobs/db" },
      { kind: "flush-directory" },
    ]);
    expect(disk.readCount).toBe(1);
  });

  it("keeps everything issued when only the process is killed", async () => {
    const disk = await written();
    expect(await crashed(disk, 0, "killed")).toBeUndefined();
    expect(await crashed(disk, 1, "killed")).toEqual(new Uint8Array(0));
    expect(await crashed(disk, 2, "killed")).toEqual(FIRST);
    expect(await crashed(disk, 6, "killed")).toEqual(BOTH);
  });

  it("keeps only what was flushed when unsynced operations are dropped", async () => {
    const disk = await written();
    expect(await crashed(disk, 2, "dropped")).toBeUndefined();
    expect(await crashed(disk, 3, "dropped")).toBeUndefined();
    expect(await crashed(disk, 4, "dropped")).toEqual(FIRST);
    expect(await crashed(disk, 5, "dropped")).toEqual(FIRST);
    expect(await crashed(disk, 6, "dropped")).toEqual(BOTH);
  });

  it("makes an entry durable with the file's own flush when it works as ext4", async () => {
    const disk = await written({ dirent: "ext4" });
    expect(await crashed(disk, 2, "dropped")).toBeUndefined();
    expect(await crashed(disk, 3, "dropped")).toEqual(FIRST);
  });

  it("tears the last unsynced write and keeps those before it", async () => {
    const disk = new SimDisk();
    const file = (await own(disk)).open("db");
    file.write(someBytes(1000, 1), 0);
    file.write(someBytes(1000, 2), 1000);
    const lengths = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const bytes = (await crashed(disk, 3, "torn", seed)) ?? expect.unreachable();
      lengths.add(bytes.length);
      expect(bytes.length).toBeLessThan(2000);
      expect(bytes.subarray(0, 1000)).toEqual(someBytes(1000, 1));
      expect(bytes.subarray(1000)).toEqual(someBytes(1000, 2).subarray(0, bytes.length - 1000));
    }
    expect(lengths.size).toBeGreaterThan(25);
  });

  it("keeps whole sectors of unsynced writes at random, each with the given probability", async () => {
    const disk = await written();
    let sectors = 0;
    for (let seed = 0; seed < 200; seed++) {
      const bytes = (await crashed(disk, 5, "random", seed, 0.1)) ?? expect.unreachable();
      for (let at = 0; at < FIRST.length; at += 512) {
        const sector = bytes.subarray(at, at + 512);
        const isOld = Buffer.compare(sector, FIRST.subarray(at, at + 512)) === 0;
        if (!isOld) expect(sector).toEqual(BOTH.subarray(at, at + 512));
        if (!isOld) sectors++;
      }
    }
    // 8 sectors in each of 200 images with probability 0.1: 160, give or take 12.
    expect(sectors).toBeGreaterThan(100);
    expect(sectors).toBeLessThan(220);
  });

  it("cuts sectors where the disk has them, not where a write begins", async () => {
    const disk = new SimDisk();
    const file = (await own(disk)).open("db");
    file.write(new Uint8Array(2048), 0);
    file.flush();
    file.write(new Uint8Array(1000).fill(1), 500);
    const boundaries = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const bytes = (await crashed(disk, disk.operationCount, "random", seed, 0.5)) ?? expect.unreachable();
      for (let at = 1; at < bytes.length; at++) if (bytes[at] !== bytes[at - 1]) boundaries.add(at);
    }
    expect([...boundaries].toSorted((a, b) => a - b)).toEqual([500, 512, 1024, 1500]);
  });

  it("remembers what was written, whatever becomes of the caller's buffer", async () => {
    const { disk, file } = await opened();
    const buffer = FIRST.slice();
    file.write(buffer, 0);
    buffer.fill(0);
    expect(await crashed(disk, disk.operationCount, "killed")).toEqual(FIRST);
  });

  it("keeps the first few of the unsynced directory operations", async () => {
    const disk = new SimDisk();
    const lease = await own(disk);
    lease.open("db").write(someBytes(1), 0);
    lease.open("wal").write(someBytes(1), 0);
    lease.delete("wal", { flush: false });
    const seen = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const image = disk.crashAt(disk.operationCount, { mode: "random", random: createSimRandom(seed), keep: 1 });
      const left = await own(image);
      seen.add(`${left.exists("db")} ${left.exists("wal")}`);
    }
    expect([...seen].toSorted()).toEqual(["false false", "true false", "true true"]);
  });

  it("brings a deleted file back when the deletion was not flushed", async () => {
    const disk = await written();
    const lease = await own(disk);
    lease.delete("db", { flush: false });
    expect(await crashed(disk, disk.operationCount, "dropped")).toEqual(BOTH);
    lease.delete("db", { flush: true });
    expect(await crashed(disk, disk.operationCount, "dropped")).toBeUndefined();
  });

  it("gives an image that can be written and crashed again, apart from its origin", async () => {
    const disk = await written();
    const image = disk.crashAt(6, { mode: "killed", random: createSimRandom(1) });
    const file = (await own(image)).open("db");
    file.write(Uint8Array.of(9), 0);
    expect(await crashed(image, image.operationCount, "dropped")).toEqual(BOTH);
    expect(await crashed(image, image.operationCount, "killed")).toEqual(Uint8Array.of(9, ...BOTH.subarray(1)));
    expect(await crashed(disk, 6, "killed")).toEqual(BOTH);
  });

  it("gives the same image for the same seed, in any order of indexes", async () => {
    const disk = await written();
    const forward = await crashed(disk, 5, "random", 7);
    await crashed(disk, 6, "random", 8);
    expect(await crashed(disk, 5, "random", 7)).toEqual(forward);
  });

  it("loses flushed data when told to ignore flushes", async () => {
    expect(await crashed(await written({ ignoreFlush: true }), 6, "dropped")).toEqual(new Uint8Array(0));
    expect(await crashed(await written({ ignoreDirectoryFlush: true }), 6, "dropped")).toBeUndefined();
  });
});

describe("a fault on a simulated disk", () => {
  it("fails one call and lets its repetition pass", async () => {
    const { disk, file } = await opened();
    disk.failAt(1, "ENOSPC", "once");
    expect(() => file.write(FIRST, 0)).toThrow(StorageFullError);
    expect(file.size()).toBe(0);
    file.write(FIRST, 0);
    expect(readAll(file)).toEqual(FIRST);
  });

  it("fails all later calls when it is persistent, until it is cleared", async () => {
    const { disk, file } = await opened();
    disk.failAt(2, "EIO", "persistent");
    file.write(FIRST, 0);
    for (const call of [() => file.truncate(0), () => file.flush(), () => file.write(FIRST, 0)]) {
      expect(call).toThrow(StorageIoError);
    }
    expect(readAll(file)).toEqual(FIRST);
    disk.clearFaults();
    file.flush();
    expect(await crashed(disk, disk.operationCount, "killed")).toEqual(FIRST);
  });

  it("writes a half when it is short, and says so", async () => {
    const { disk, file } = await opened();
    disk.failAt(1, "short", "once");
    expect(() => file.write(FIRST, 0)).toThrow(StorageIoError);
    expect(readAll(file)).toEqual(FIRST.subarray(0, FIRST.length / 2));
    expect(await crashed(disk, 2, "killed")).toEqual(FIRST.subarray(0, FIRST.length / 2));
  });

  it("loses unsynced data for good when a flush fails, though reads still show it", async () => {
    const { disk, file } = await opened();
    file.flush();
    file.write(FIRST, 0);
    disk.failAt(disk.operationCount, "EIO", "once");
    expect(() => file.flush()).toThrow(StorageIoError);
    expect(readAll(file)).toEqual(FIRST);
    file.flush();
    expect(await crashed(disk, disk.operationCount, "dropped")).toEqual(new Uint8Array(0));
  });

  it("strikes reads by their own count", async () => {
    const { disk, file } = await opened();
    file.write(FIRST, 0);
    disk.failReadAt(1, "once");
    expect(readAll(file)).toEqual(FIRST);
    expect(() => file.read(new Uint8Array(1), 0)).toThrow(StorageIoError);
    expect(readAll(file)).toEqual(FIRST);
  });
});

const FIRST = someBytes(4096, 1);
const BOTH = someBytes(4096, 2);

/** Operations: create, write, flush, flush directory, write, flush. */
async function written(options?: ConstructorParameters<typeof SimDisk>[0]): Promise<SimDisk> {
  const disk = new SimDisk(options);
  const lease = await own(disk);
  const file = lease.open("db");
  file.write(FIRST, 0);
  file.flush();
  file.write(BOTH, 0);
  file.flush();
  await lease.release();
  return disk;
}

async function opened(): Promise<{ disk: SimDisk; file: SyncFile }> {
  const disk = new SimDisk();
  return { disk, file: (await own(disk)).open("db") };
}

async function own(disk: SimDisk): Promise<StorageLease> {
  const acquisition = await disk.acquire("jobs");
  return acquisition.role === "owner" ? acquisition.lease : expect.unreachable();
}

/** The bytes of the database after a crash; `undefined` when it is not even there. */
async function crashed(
  disk: SimDisk,
  index: number,
  mode: SimCrashMode,
  seed = 1,
  keep?: number,
): Promise<Uint8Array | undefined> {
  const random = createSimRandom(seed);
  const image = disk.crashAt(index, keep === undefined ? { mode, random } : { mode, random, keep });
  const lease = await own(image);
  const file = lease.open("db");
  const isThere = image.operationCount === 0;
  const bytes = isThere ? readAll(file) : undefined;
  await lease.release();
  return bytes;
}
