import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importDatabase, SqliteBroker, SqliteDatabase } from "../../../adapters/entry/node.ts";
import { nodePlatform } from "../../../adapters/entry/node-platform.ts";
import { installPlatform } from "../../../adapters/sqlite/platform.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { createEnvelope } from "../../../src/index.ts";
import { readForeign } from "../../support/foreign-reader.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { inMemory, inThread, onClock, onFiles, POLL_INTERVAL, type SqlitePlace } from "./open-sqlite.ts";

const COUNT = "select count(*) from queue_jobs";

/** A queue of its own with so many jobs, one of which is in the hands of a consumer. */
async function aCopy(jobs: number): Promise<Uint8Array> {
  const storage = memoryStorage();
  await using broker = await SqliteBroker.open("original.db", { storage });
  for (let number = 0; number < jobs; number += 1) await broker.publish(createEnvelope({ name: "mail" }));
  const deliveries = broker.consume({ queues: ["default"] }, { prefetch: 1 });
  await deliveries.next();
  await using database = await SqliteDatabase.open("original.db", { storage });
  const copy = await database.export();
  await deliveries.return?.();
  return copy;
}

const copy = await aCopy(3);
const smallCopy = await aCopy(1);

for (const [where, place] of [
  ["in memory", inMemory],
  ["on files", onFiles],
  ["in an engine thread", inThread],
] as const) {
  describe(`importDatabase ${where}`, () => {
    let here: SqlitePlace;
    const connection = () => onClock(here.clock, here.storage, here.engine);
    const open = () => SqliteBroker.open("jobs.sqlite", { ...connection(), pollInterval: POLL_INTERVAL });
    const importing = (bytes: Uint8Array, options: object = {}) =>
      importDatabase("jobs.sqlite", bytes, { ...connection(), ...options });
    const pending = async (): Promise<number> => {
      await using broker = await open();
      return broker.pendingCount("default");
    };

    beforeEach(() => void (here = place()));
    afterEach(() => {
      here.remove();
      installPlatform(nodePlatform);
    });

    it("makes a database in which everything is there, and nothing is held", async () => {
      expect(readForeign(copy)("select count(*) from queue_jobs where state = 2")).toEqual([[1]]);
      await importing(copy);
      await using broker = await open();
      expect([await broker.pendingCount("default"), await broker.inflightCount("default")]).toEqual([3, 0]);
      await using database = await SqliteDatabase.open("jobs.sqlite", connection());
      const ask = readForeign(await database.export());
      expect([ask("pragma integrity_check"), ask(COUNT)]).toEqual([[["ok"]], [[3]]]);
    });

    it("refuses a database that is there, and replaces it when it is told to", async () => {
      await importing(copy);
      await expect(importing(smallCopy)).rejects.toMatchObject({ code: "STEM_DATABASE_EXISTS" });
      expect(await pending()).toBe(3);
      await importing(smallCopy, { replace: true });
      expect(await pending()).toBe(1);
    });

    it("refuses a database that somebody has open, in this context and in another one", async () => {
      await using broker = await open();
      await expect(importing(copy, { replace: true })).rejects.toMatchObject({
        code: "STEM_DATABASE_BUSY",
        retryable: true,
      });
      expect(await broker.pendingCount("default")).toBe(0);
    });

    it("waits for a close that is under way", async () => {
      const broker = await open();
      const closing = broker.close();
      await importing(copy, { replace: true });
      await closing;
      expect(await pending()).toBe(3);
    });

    it.each<[string, () => Uint8Array, string]>([
      ["no bytes", () => new Uint8Array(0), "STEM_NOT_A_QUEUE_DATABASE"],
      ["text", () => new TextEncoder().encode("name,amount\n".repeat(100)), "STEM_NOT_A_QUEUE_DATABASE"],
      ["another application's database", () => edited({ 68: 1 }), "STEM_NOT_A_QUEUE_DATABASE"],
      ["a newer schema", () => edited({ 60: 1 }), "STEM_SCHEMA_TOO_NEW"],
      ["an open database's file", () => withHeader("stem-sqlite open"), "STEM_NOT_A_QUEUE_DATABASE"],
      ["an unfinished import's file", () => withHeader("importing a copy"), "STEM_NOT_A_QUEUE_DATABASE"],
      ["half of a copy", () => copy.slice(0, copy.length >> 1), "STEM_DATABASE_CORRUPT"],
      ["a header alone", () => copy.slice(0, 50), "STEM_DATABASE_CORRUPT"],
      ["a damaged page", () => damagedPage(), "STEM_DATABASE_CORRUPT"],
    ])("refuses %s before any effect", async (_label, bytes, code) => {
      await expect(importing(bytes())).rejects.toMatchObject({ code, outcome: "not-applied" });
      await expect(importing(bytes(), { replace: true })).rejects.toMatchObject({ code });
      expect(await pending()).toBe(0);
    });

    it("takes the bytes as they were when it was called", async () => {
      const bytes = copy.slice();
      const imported = importing(bytes);
      bytes.fill(0);
      await imported;
      expect(await pending()).toBe(3);
    });
  });
}

describe("importDatabase", () => {
  it("makes a file that another SQLite program reads as it is", async () => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await importDatabase(file, copy);
    expect(readForeign(readFileSync(file))(COUNT)).toEqual([[3]]);
    expect(readdirSync(join(file, ".."))).toEqual(["jobs.sqlite"]);
  });

  it("takes the file of a closed database as a copy", async () => {
    const folder = useTempDirectory();
    const file = join(folder, "one.sqlite");
    const broker = await SqliteBroker.open(file);
    await broker.publish(createEnvelope({ name: "mail" }));
    await broker.close();
    await importDatabase(join(folder, "two.sqlite"), readFileSync(file));
    await using second = await SqliteBroker.open(join(folder, "two.sqlite"));
    expect(await second.pendingCount("default")).toBe(1);
  });

  it.each<[string, Uint8Array]>([
    ["text", new TextEncoder().encode("dear diary")],
    ["another application's database", edited({ 68: 1 })],
    ["sixteen letters", new TextEncoder().encode("0123456789abcdef")],
  ])("never replaces a file that holds %s", async (_label, bytes) => {
    const file = join(useTempDirectory(), "precious");
    writeFileSync(file, bytes);
    await expect(importDatabase(file, copy, { replace: true })).rejects.toMatchObject({
      code: "STEM_NOT_A_QUEUE_DATABASE",
    });
    expect(Buffer.compare(readFileSync(file), bytes)).toBe(0);
  });

  it("leaves no log beside the copy, neither ours nor another program's", async () => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await importDatabase(file, copy);
    const log = Buffer.concat([Buffer.from("377f0682", "hex"), Buffer.alloc(4_000)]);
    for (const name of ["-wal", "-stemwal"]) {
      writeFileSync(`${file}${name}`, log);
      await importDatabase(file, copy, { replace: true });
      expect([existsSync(`${file}-wal`), existsSync(`${file}-stemwal`)]).toEqual([false, false]);
    }
    await using broker = await SqliteBroker.open(file);
    expect(await broker.pendingCount("default")).toBe(3);
  });

  it.each<[string, unknown, unknown, object | undefined, string]>([
    ["a URL", "sqlite:a.db", copy, {}, "file"],
    ["memory that nobody could open", ":memory:", copy, {}, "file"],
    ["an array", "a.db", [1, 2], {}, "bytes"],
    ["an ArrayBuffer", "a.db", copy.buffer, {}, "bytes"],
    ["an unknown option", "a.db", copy, { overwrite: true }, "overwrite"],
    ["a word for replace", "a.db", copy, { replace: "yes" }, "replace"],
  ])("refuses %s", async (_label, file, bytes, options, option) => {
    await expect(importDatabase(file as string, bytes as Uint8Array, options)).rejects.toMatchObject({
      code: "STEM_INVALID_OPTION",
      details: { option },
    });
  });
});

function edited(changes: Readonly<Record<number, number>>): Uint8Array {
  const bytes = copy.slice();
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

function withHeader(text: string): Uint8Array {
  const bytes = copy.slice();
  bytes.set(new TextEncoder().encode(text));
  return bytes;
}

/** Not the first page, which holds the schema. */
function damagedPage(): Uint8Array {
  return copy.map((byte, at) => (at >= 4096 && at < 12_288 ? byte ^ 0x5a : byte));
}
