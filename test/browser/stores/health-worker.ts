import { afterEach, describe, expect, it } from "vitest";
import { SqliteBroker } from "../../../adapters/entry/browser.ts";
import { requestPersistence } from "../../../adapters/entry/browser-tools.ts";
import { browserStorage } from "../../../adapters/storage/web/browser.ts";
import { indexedDbStorage } from "../../../adapters/storage/web/indexeddb.ts";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { serveSuite } from "../support/worker-suite.ts";

/** What each driver's databases are kept in, in a dedicated worker of this browser. */
const CASES: Readonly<Record<string, readonly [() => StorageDriver, string]>> = {
  opfs: [opfsStorage, "opfs"],
  indexeddb: [indexedDbStorage, "indexeddb"],
  browser: [browserStorage, "opfs"],
};

describe("health in a dedicated worker", () => {
  let broker: SqliteBroker | undefined;
  afterEach(() => broker?.close());

  it.each(Object.keys(CASES))("says where the bytes of the driver are: %s", async (driver) => {
    const [makeDriver, name] = CASES[driver] ?? expect.unreachable();
    const storage = makeDriver();
    broker = await SqliteBroker.open(`${crypto.randomUUID()}/jobs.sqlite`, { storage, engine: "inline" });
    const health = await broker.health();
    expect(health.storage).toEqual({ name, persistent: true });
    expect(health).toMatchObject({ survives: "power-cut", role: "owner", engine: { place: "inline" } });
    expect(health.bytes + health.logBytes).toBeGreaterThan(0);
    expect(health.origin).toEqual({ usage: expect.any(Number), quota: expect.any(Number), persisted: false });
  });

  it("cannot ask for persistent storage", async () => {
    await expect(requestPersistence()).rejects.toThrow(UnsupportedEnvironmentError);
  });
});

serveSuite();
