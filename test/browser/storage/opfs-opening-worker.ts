import { afterEach, describe, expect, it } from "vitest";
import { openHandle } from "../../../adapters/storage/web/opfs-handles.ts";
import { probeOpfs } from "../../../adapters/storage/web/opfs-probe.ts";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import {
  DatabaseBusyError,
  InvalidOptionError,
  NotAQueueDatabaseError,
  StorageIoError,
  UnsupportedEnvironmentError,
} from "../../../src/errors.ts";
import { serveSuite } from "../support/worker-suite.ts";

const root = (): Promise<FileSystemDirectoryHandle> => navigator.storage.getDirectory();

async function namesIn(folder: FileSystemDirectoryHandle): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  return names;
}

describe("opening a file", () => {
  it("waits for a handle that is being closed", async () => {
    const folder = await root();
    const path = `/${crypto.randomUUID()}`;
    const other = await openHandle(folder, path);
    let pauses = 0;
    const handle = await openHandle(folder, path, async () => {
      pauses += 1;
      if (pauses === 3) other.close();
    });
    expect(pauses >= 3).toBe(true);
    handle.close();
  });

  it("gives up when somebody keeps it open, and leaves the database free", async () => {
    const folder = await root();
    const name = crypto.randomUUID();
    const handle = await openHandle(folder, `/${name}`);
    await expect(openHandle(folder, `/${name}`, async () => undefined)).rejects.toThrow(DatabaseBusyError);
    handle.close();
    expect((await opfsStorage({ directory: "/" }).acquire(name)).role).toBe("owner");
  });

  it("refuses a folder where the file has to be, and a file where a folder has to be", async () => {
    const driver = opfsStorage({ directory: crypto.randomUUID() });
    expect((await driver.acquire("file")).role).toBe("owner");
    await expect(driver.acquire("file/jobs")).rejects.toThrow(NotAQueueDatabaseError);
    const first = await driver.acquire("folder/jobs");
    expect(first.role).toBe("owner");
    await expect(driver.acquire("folder")).rejects.toThrow(NotAQueueDatabaseError);
    expect(await driver.meet?.("folder")).toBeUndefined();
  });

  it("refuses bad names before anything is created", async () => {
    const driver = opfsStorage();
    const before = await namesIn(await root());
    await expect(driver.acquire("../jobs")).rejects.toThrow(InvalidOptionError);
    expect(await namesIn(await root())).toEqual(before);
  });
});

describe("the probe", () => {
  const replaced: (() => void)[] = [];
  const replace = (target: object, name: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    replaced.push(() => {
      if (before === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, before);
    });
  };
  const reasonWhen = async (target: object, name: string, value: unknown): Promise<unknown> => {
    replace(target, name, value);
    const probe = await probeOpfs();
    return probe.works ? "it works" : probe.reason;
  };

  afterEach(() => {
    for (const restore of replaced.splice(0)) restore();
  });

  it("finds that files work in this worker, and leaves none behind", async () => {
    const before = await namesIn(await root());
    expect(await probeOpfs()).toEqual({ works: true });
    expect(await namesIn(await root())).toEqual(before);
  });

  it("says what is missing, for good or for now", async () => {
    const refuse = (name: string) => async () => {
      throw new DOMException("made up", name);
    };
    const file = FileSystemFileHandle.prototype;
    const handle = (globalThis as unknown as { FileSystemSyncAccessHandle: { prototype: object } })
      .FileSystemSyncAccessHandle.prototype;
    expect(await reasonWhen(navigator, "locks", undefined)).toBeInstanceOf(UnsupportedEnvironmentError);
    for (const restore of replaced.splice(0)) restore();
    expect(await reasonWhen(navigator, "storage", undefined)).toBeInstanceOf(UnsupportedEnvironmentError);
    for (const restore of replaced.splice(0)) restore();
    expect(await reasonWhen(navigator, "storage", { getDirectory: refuse("SecurityError") })).toBeInstanceOf(
      UnsupportedEnvironmentError,
    );
    for (const restore of replaced.splice(0)) restore();
    expect(await reasonWhen(file, "createSyncAccessHandle", refuse("UnknownError"))).toBeInstanceOf(StorageIoError);
    for (const restore of replaced.splice(0)) restore();
    expect(await reasonWhen(handle, "getSize", async () => 1)).toBeInstanceOf(StorageIoError);
    for (const restore of replaced.splice(0)) restore();
    expect(await probeOpfs()).toEqual({ works: true });
  });
});

serveSuite();
