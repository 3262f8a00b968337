import { describe, expect, it } from "vitest";
import { importDatabase, SqliteBroker, SqliteDatabase } from "../../../adapters/entry/browser.ts";
import { indexedDbStorage } from "../../../adapters/storage/web/indexeddb.ts";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { serveSuite } from "../support/worker-suite.ts";

const DRIVERS: Readonly<Record<string, () => StorageDriver>> = { opfs: opfsStorage, indexeddb: indexedDbStorage };

describe("the file of a database in a dedicated worker", () => {
  it.each(Object.keys(DRIVERS))("is exported and imported, checked, and never by the way: %s", async (driver) => {
    const storage = DRIVERS[driver]?.() ?? expect.unreachable();
    const options = { storage, engine: "inline" } as const;
    const folder = crypto.randomUUID();
    const broker = await SqliteBroker.open(`${folder}/jobs.sqlite`, options);
    const text = "x".repeat(200_000);
    for (let number = 0; number < 10; number += 1) {
      await broker.publish(createEnvelope({ name: "mail", args: { text } }));
    }
    const database = await SqliteDatabase.open(`${folder}/jobs.sqlite`, options);
    const copy = await database.export();
    await broker.purge("default");
    await expect(importDatabase(`${folder}/jobs.sqlite`, copy, { ...options, replace: true })).rejects.toMatchObject({
      code: "STEM_DATABASE_BUSY",
    });
    await database.close();
    await broker.close();
    await expect(importDatabase(`${folder}/jobs.sqlite`, copy, options)).rejects.toMatchObject({
      code: "STEM_DATABASE_EXISTS",
    });
    await expect(importDatabase(`${folder}/x.sqlite`, copy.slice(0, 50_000), options)).rejects.toMatchObject({
      code: "STEM_DATABASE_CORRUPT",
    });
    await importDatabase(`${folder}/jobs.sqlite`, copy, { ...options, replace: true });
    await importDatabase(`${folder}/second.sqlite`, copy, options);
    for (const name of ["jobs", "second"]) {
      await using opened = await SqliteBroker.open(`${folder}/${name}.sqlite`, options);
      expect(await opened.pendingCount("default")).toBe(10);
    }
  });
});

serveSuite();
