import { describe, expect, it } from "vitest";
import { importDatabase, SqliteBroker, SqliteDatabase } from "../../../adapters/entry/browser.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { showWorkerTests } from "../support/worker-tests.ts";

const worker = new Worker(new URL("./database-file-worker.ts", import.meta.url), { type: "module" });
await showWorkerTests("the file of a database", worker);

describe("the file of a database in a page, whose engine runs in a worker", () => {
  it("is exported, and imported under another name", async () => {
    const folder = crypto.randomUUID();
    const broker = await SqliteBroker.open(`${folder}/jobs.sqlite`);
    await broker.publish(createEnvelope({ name: "mail" }));
    const database = await SqliteDatabase.open(`${folder}/jobs.sqlite`);
    const copy = await database.export();
    expect((await database.health()).storage.name).toBe("opfs");
    await importDatabase(`${folder}/second.sqlite`, copy);
    await expect(importDatabase(`${folder}/jobs.sqlite`, copy, { replace: true })).rejects.toMatchObject({
      code: "STEM_DATABASE_BUSY",
    });
    await database.close();
    await broker.close();
    await using second = await SqliteBroker.open(`${folder}/second.sqlite`);
    expect(await second.pendingCount("default")).toBe(1);
  });
});
