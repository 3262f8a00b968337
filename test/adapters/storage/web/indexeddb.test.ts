import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AcquireOptions, StorageDriver, StorageLease } from "../../../../src/contracts/storage-driver.ts";
import { OwnershipLostError, StorageEvictedError, StorageFullError, StorageIoError } from "../../../../src/errors.ts";
import { describeStorageDriverContract } from "../../../contract/storage-driver/index.ts";
import { readAll, someBytes } from "../../../contract/storage-driver/storage-under-test.ts";
import { FakeBrowser, fillStorage, refusePut, watchPuts, watchTransactions } from "./fake-indexeddb.ts";

const PAGE = 8192;

describeStorageDriverContract(
  "indexeddb",
  async () => ({
    driver: new FakeBrowser().driver(),
    database: "jobs.sqlite",
    aliases: ["./jobs.sqlite", "/stem-sqlite/jobs.sqlite"],
    otherDatabase: "results.sqlite",
    cleanup: async () => undefined,
  }),
  // The ownership is a stand-in here; the real one is tested in a browser.
  { sparse: true, peers: false, replace: true },
);

describe("a database in IndexedDB", () => {
  let browser: FakeBrowser;
  let driver: StorageDriver;

  beforeEach(() => {
    browser = new FakeBrowser();
    driver = browser.driver();
  });
  afterEach(() => vi.restoreAllMocks());

  async function own(options?: AcquireOptions): Promise<StorageLease> {
    const acquisition = await driver.acquire("jobs", options);
    if (acquisition.role !== "owner") return expect.unreachable();
    return acquisition.lease;
  }

  it("keeps what was durable when its owner dies without a word, and nothing of what came after", async () => {
    const lease = await own();
    lease.open("db").write(someBytes(3 * PAGE), 0);
    await lease.durable();
    lease.open("db").write(someBytes(100, 9), 50);
    lease.open("wal").write(someBytes(100, 9), 0);
    browser.crash();
    const next = await own();
    expect(readAll(next.open("db"))).toEqual(someBytes(3 * PAGE));
    expect(next.exists("wal")).toBe(false);
  });

  it("stores the changes of all files in one transaction", async () => {
    const lease = await own();
    const begun = watchTransactions();
    lease.open("db").write(someBytes(5 * PAGE), 100);
    lease.open("wal").write(someBytes(3 * PAGE), 0);
    lease.open("journal").write(someBytes(10), 0);
    await lease.durable();
    expect(begun.mock.calls.map(([, mode, options]) => [mode, options])).toEqual([
      ["readwrite", { durability: "strict" }],
    ]);
  });

  it.each([
    ["full", "strict"],
    ["relaxed", "relaxed"],
  ] as const)("asks for durability %s as IndexedDB calls it", async (durability, asked) => {
    const lease = await own({ durability });
    const begun = watchTransactions();
    lease.open("db").write(someBytes(10), 0);
    await lease.durable();
    expect(begun.mock.calls.map(([, , options]) => options)).toEqual([{ durability: asked }]);
  });

  it("tells everybody when it was deleted under an owner, makes nothing in its place, and starts afresh", async () => {
    const lease = await own();
    const file = lease.open("db");
    file.write(someBytes(10), 0);
    await lease.durable();
    await browser.deleteDatabases();
    file.write(someBytes(10, 2), 0);
    expect(() => lease.verify()).toThrow(StorageEvictedError);
    await expect(lease.durable()).rejects.toThrow(StorageEvictedError);
    expect(() => lease.open("db")).toThrow(StorageEvictedError);
    await lease.release();
    expect(await browser.databaseNames()).toEqual([]);
    expect((await own()).exists("db")).toBe(false);
  });

  it("stores only the pages that changed", async () => {
    const lease = await own();
    const file = lease.open("db");
    file.write(someBytes(20 * PAGE), 0);
    await lease.durable();
    const put = watchPuts();
    file.write(someBytes(10), 7 * PAGE - 5);
    await lease.durable();
    expect(put.mock.calls.map(([, key]) => key)).toEqual(["db", ["db", 6], ["db", 7]]);
  });

  it("has nothing to wait for when nothing changed, or what was there is written again", async () => {
    const lease = await own();
    expect(lease.durable()).toBeUndefined();
    lease.open("db").write(someBytes(3 * PAGE), 0);
    await lease.durable();
    expect(lease.durable()).toBeUndefined();
    lease.open("db").write(someBytes(3 * PAGE).subarray(100), 100);
    expect(lease.durable()).toBeUndefined();
  });

  it("stores what is there at the call, whatever is written while it is stored", async () => {
    const lease = await own();
    const file = lease.open("db");
    file.write(someBytes(PAGE, 1), 0);
    const stored = lease.durable();
    file.write(someBytes(PAGE, 2), 0);
    await stored;
    browser.crash();
    expect(readAll((await own()).open("db"))).toEqual(someBytes(PAGE, 1));
  });

  it("drops the pages that were cut off, also when the file grows again", async () => {
    const lease = await own();
    const file = lease.open("db");
    file.write(someBytes(10 * PAGE), 0);
    await lease.durable();
    file.truncate(PAGE + 10);
    file.truncate(5 * PAGE);
    file.write(someBytes(10, 3), 4 * PAGE);
    await lease.durable();
    browser.crash();
    const expected = new Uint8Array(5 * PAGE);
    expected.set(someBytes(PAGE + 10));
    expected.set(someBytes(10, 3), 4 * PAGE);
    expect(Buffer.compare(readAll((await own()).open("db")), expected)).toBe(0);
  });

  it("reads a file of many pages back", async () => {
    const lease = await own();
    const bytes = someBytes(2500 * PAGE + 17);
    lease.open("db").write(bytes, 0);
    await lease.durable();
    browser.crash();
    expect(Buffer.compare(readAll((await own()).open("db")), bytes)).toBe(0);
  });

  it("stores what was changed last when it is released", async () => {
    const lease = await own();
    lease.open("db").write(someBytes(10), 0);
    await lease.release();
    expect(readAll((await own()).open("db"))).toEqual(someBytes(10));
  });

  it("gives ownership up even if that cannot be stored", async () => {
    const lease = await own();
    lease.open("db").write(someBytes(10), 0);
    const empty = fillStorage();
    await expect(lease.release()).rejects.toThrow(StorageFullError);
    empty();
    expect((await own()).exists("db")).toBe(false);
  });

  it("lets an owner of the past store nothing", async () => {
    const old = await own();
    const file = old.open("db");
    file.write(someBytes(10), 0);
    await old.durable();
    browser.crash();
    const next = await own();
    next.open("db").write(someBytes(10, 2), 0);
    await next.durable();
    file.write(someBytes(PAGE, 3), 0);
    await expect(old.durable()).rejects.toThrow(OwnershipLostError);
    expect(() => old.open("db")).toThrow(OwnershipLostError);
    expect(() => old.verify()).toThrow(OwnershipLostError);
    expect(() => file.size()).toThrow(OwnershipLostError);
    await expect(old.durable()).rejects.toThrow(OwnershipLostError);
    await old.release();
    await next.release();
    expect(readAll((await own()).open("db"))).toEqual(someBytes(10, 2));
  });

  it("says that it may be owned elsewhere once its lock was taken away", async () => {
    const lease = await own();
    browser.crash();
    expect(() => lease.verify()).toThrow(OwnershipLostError);
  });

  it("shows what is stored after a write that failed, to files that are opened again", async () => {
    const lease = await own();
    const file = lease.open("db");
    file.write(someBytes(2 * PAGE), 0);
    await lease.durable();
    file.write(someBytes(3 * PAGE, 2), 0);
    const empty = fillStorage();
    const failed = lease.durable();
    await expect(failed).rejects.toThrow(StorageFullError);
    expect(() => file.read(new Uint8Array(1), 0)).toThrow(StorageFullError);
    expect(() => file.write(someBytes(1), 0)).toThrow(StorageFullError);
    empty();
    lease.verify();
    expect(readAll(lease.open("db"))).toEqual(someBytes(2 * PAGE));
    lease.open("db").write(someBytes(10, 4), 0);
    await lease.durable();
  });

  it("is of no use while what is stored cannot be read, and is again once it can", async () => {
    const lease = await own();
    lease.open("db").write(someBytes(10), 0);
    await lease.durable();
    lease.open("db").write(someBytes(10, 2), 0);
    const transaction = watchTransactions().mockImplementation(() => {
      throw new DOMException("gone", "InvalidStateError");
    });
    await expect(lease.durable()).rejects.toThrow(StorageIoError);
    expect(() => lease.open("db")).toThrow(StorageIoError);
    await expect(lease.durable()).rejects.toThrow(StorageIoError);
    transaction.mockRestore();
    await vi.waitFor(() => expect(readAll(lease.open("db"))).toEqual(someBytes(10)));
  });

  it("stores nothing of a change whose storing is refused half-way", async () => {
    const lease = await own();
    lease.open("db").write(someBytes(PAGE), 0);
    await lease.durable();
    refusePut(3);
    lease.open("db").write(someBytes(5 * PAGE, 2), 0);
    await expect(lease.durable()).rejects.toThrow(StorageIoError);
    browser.crash();
    vi.restoreAllMocks();
    expect(readAll((await own()).open("db"))).toEqual(someBytes(PAGE));
  });

  it("does not store a second change on top of one that could not be stored", async () => {
    const lease = await own();
    const file = lease.open("db");
    file.write(someBytes(PAGE), 0);
    const empty = fillStorage();
    const first = lease.durable();
    empty();
    file.write(someBytes(10, 5), 5 * PAGE);
    const second = lease.durable();
    await expect(first).rejects.toThrow(StorageFullError);
    await expect(second).rejects.toThrow(StorageFullError);
    browser.crash();
    expect((await own()).exists("db")).toBe(false);
  });
});
