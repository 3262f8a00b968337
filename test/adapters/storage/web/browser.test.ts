import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type BrowserChoice,
  browserDriver,
  type BrowserStorageDriver,
} from "../../../../adapters/storage/web/browser.ts";
import type { StorageDriver } from "../../../../src/contracts/storage-driver.ts";
import {
  StorageFullError,
  StorageIoError,
  type StemError,
  UnsupportedEnvironmentError,
} from "../../../../src/errors.ts";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";

const MISSING = new UnsupportedEnvironmentError("files");
const TRANSIENT = new StorageIoError("probe", "/", "UnknownError");

describe("the choice between files of the browser and IndexedDB", () => {
  let factory: unknown;
  let opfs: StorageDriver;
  let indexeddb: StorageDriver;
  let choices: BrowserChoice[];

  beforeEach(() => {
    factory = new IDBFactory();
    opfs = memoryStorage();
    indexeddb = memoryStorage();
    choices = [];
  });

  /** A driver of a context in which files fail for this reason, or work. */
  function driver(reason?: StemError): BrowserStorageDriver {
    const failing = { ...opfs, acquire: () => Promise.reject(reason) };
    return browserDriver({
      factory: () => factory as never,
      probe: async () => (reason === undefined ? { works: true } : { works: false, reason }),
      drivers: { opfs: reason === undefined ? opfs : failing, indexeddb },
      onChoice: (choice) => choices.push(choice),
    });
  }

  it("falls on files where they work", async () => {
    const storage = driver();
    expect(await storage.meet?.("jobs")).toBeUndefined();
    expect(await storage.backendOf("jobs")).toBeUndefined();
    expect((await storage.acquire("jobs")).role).toBe("owner");
    expect(await storage.backendOf("jobs")).toBe("opfs");
    expect(choices).toEqual([{ database: "jobs", backend: "opfs" }]);
    expect(await storage.meet?.("jobs")).toBeDefined();
    expect(await indexeddb.meet?.("jobs")).toBeUndefined();
  });

  it.each([MISSING, TRANSIENT])("falls on IndexedDB where files do not work, and says why: $code", async (reason) => {
    const storage = driver(reason);
    expect((await storage.acquire("jobs")).role).toBe("owner");
    expect(await storage.backendOf("jobs")).toBe("indexeddb");
    expect(choices).toEqual([{ database: "jobs", backend: "indexeddb", reason }]);
    expect(await indexeddb.meet?.("jobs")).toBeDefined();
  });

  it("never makes a database that is in files again in IndexedDB", async () => {
    const made = await driver().acquire("jobs");
    if (made.role === "owner") await made.lease.release();
    await expect(driver(TRANSIENT).acquire("jobs")).rejects.toBe(TRANSIENT);
    expect(await driver(TRANSIENT).backendOf("jobs")).toBe("opfs");
    expect((await driver().acquire("jobs")).role).toBe("owner");
  });

  it("never makes a database that is in IndexedDB again in files", async () => {
    await driver(MISSING).acquire("jobs");
    expect((await driver().acquire("jobs")).role).toBe("member");
    expect(choices.map(({ backend }) => backend)).toEqual(["indexeddb", "indexeddb"]);
    expect(choices[1]).not.toHaveProperty("reason");
  });

  it("is made for each database by itself", async () => {
    await driver(MISSING).acquire("jobs");
    await driver().acquire("results");
    expect(choices.map(({ backend }) => backend)).toEqual(["indexeddb", "opfs"]);
  });

  it("is the same for all who make a database at once", async () => {
    const drivers = [driver(), driver(MISSING), driver(), driver(MISSING)];
    const results = await Promise.allSettled(drivers.map((one) => one.acquire("jobs")));
    expect(new Set(choices.map(({ backend }) => backend)).size).toBe(1);
    const owners = results.filter((result) => result.status === "fulfilled" && result.value.role === "owner");
    expect(owners).toHaveLength(1);
  });

  it("is put off while storage is full", async () => {
    const full = new StorageFullError("/");
    await expect(driver(full).acquire("jobs")).rejects.toBe(full);
    expect(await driver().backendOf("jobs")).toBeUndefined();
  });

  it("is refused where there is no IndexedDB to write it down", async () => {
    factory = undefined;
    await expect(driver().acquire("jobs")).rejects.toThrow(UnsupportedEnvironmentError);
    await expect(driver().meet?.("jobs")).rejects.toThrow(UnsupportedEnvironmentError);
  });
});
