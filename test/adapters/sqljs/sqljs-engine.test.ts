import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import initSqlJs from "sql.js";
import { describe, expect, it } from "vitest";
import {
  importDatabase,
  SqliteBroker,
  type SqliteBrokerOptions,
  SqliteDatabase,
} from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { StemErrorCode } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { expectError } from "../../contract/support.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { checkDatabase, copyDatabase } from "../../support/database-check.ts";
import { SimDisk } from "../../support/sim-disk.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { sqlJs } from "./open-sqljs.ts";

const OURS = { engine: "inline", logger: silentLogger } as const;
const SQL_JS = { sqlEngine: sqlJs, logger: silentLogger } as const;
const ENGINES = [
  ["sql.js", SQL_JS, "our own engine", OURS],
  ["our own engine", OURS, "sql.js", SQL_JS],
] as const;
const HEADER = 16;

async function publish(file: string, options: SqliteBrokerOptions, ...ids: string[]): Promise<void> {
  await using broker = await SqliteBroker.open(file, options);
  for (const id of ids) await broker.publish(anEnvelope({ id, args: { big: 2 ** 52, text: "é\0😀" } }));
}

/** Takes everything that nobody holds, in order. */
async function drain(file: string, options: SqliteBrokerOptions): Promise<unknown[]> {
  await using broker = await SqliteBroker.open(file, options);
  const found: unknown[] = [];
  const left = async (): Promise<number> =>
    Number(await broker.pendingCount("default")) + Number(await broker.inflightCount("default"));
  const held = Number(await broker.inflightCount("default"));
  const consumer = broker.consume({ queues: ["default"] });
  while ((await left()) > held) {
    const { value } = await consumer.next();
    if (value === undefined) break;
    found.push(value.envelope.id, value.envelope.args["big"]);
    await broker.ack(value);
  }
  await consumer.return();
  return found;
}

/** A database as `options` leave it when their process is killed with a message in hand and another one waiting. */
async function crashed(options: SqliteBrokerOptions): Promise<string> {
  const folder = useTempDirectory();
  const file = join(folder, "jobs.sqlite");
  await using broker = await SqliteBroker.open(file, { ...options, defaultVisibilityTimeout: 3_600_000 });
  await broker.publish(anEnvelope({ id: "held" }));
  await broker.consume({ queues: ["default"] }).next();
  await broker.publish(anEnvelope({ id: "waiting" }));
  return copyDatabase(file, useTempDirectory());
}

const header = (file: string): string => readFileSync(file).subarray(0, HEADER).toString("latin1");

describe("sqljs/sqljs-engine", () => {
  it.each(ENGINES)("goes on, in the other engine, with what %s wrote", async (_one, first, _other, second) => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await publish(file, first, "a", "b");
    expect(header(file)).toBe("SQLite format 3\0");
    await publish(file, second, "c");
    await publish(file, first, "d");
    expect(await checkDatabase(file)).toEqual([]);
    expect(await drain(file, second)).toEqual(["a", 2 ** 52, "b", 2 ** 52, "c", 2 ** 52, "d", 2 ** 52]);
    expect(await checkDatabase(file)).toEqual([]);
  });

  it("does so in memory too", async () => {
    const storage = memoryStorage();
    await publish("a.db", { ...SQL_JS, storage }, "a");
    await publish("a.db", { ...OURS, storage }, "b");
    expect(await drain("a.db", { ...SQL_JS, storage })).toEqual(["a", 2 ** 52, "b", 2 ** 52]);
  });

  it("masks the file while it is open, and leaves one that either engine recovers when it is killed", async () => {
    for (const next of [SQL_JS, OURS]) {
      const file = await crashed(SQL_JS);
      expect(header(file)).toBe("stem-sqlite open");
      // What is held stays so: this process has not ended.
      expect(await drain(file, next)).toEqual(["waiting", undefined]);
      expect(await checkDatabase(file)).toEqual([]);
    }
  });

  it("refuses a database whose log is still there, and leaves it alone", async () => {
    const file = await crashed(OURS);
    const before = [readFileSync(file), readFileSync(`${file}-stemwal`)];
    expect(before[1]?.length).toBeGreaterThan(0);
    await expectError(() => SqliteBroker.open(file, SQL_JS), "STEM_UNSUPPORTED_ENVIRONMENT");
    expect([readFileSync(file), readFileSync(`${file}-stemwal`)]).toEqual(before);
    await drain(file, OURS);
    expect(await drain(file, SQL_JS)).toEqual([]);
  });

  it("refuses one that another program left with a log, and does not take that over", async () => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await publish(file, OURS, "a");
    writeFileSync(`${file}-wal`, Buffer.from("377f0682", "hex"));
    await expectError(() => SqliteBroker.open(file, SQL_JS), "STEM_UNSUPPORTED_ENVIRONMENT");
    expect([existsSync(`${file}-wal`), existsSync(`${file}-stemwal`)]).toEqual([true, false]);
  });

  it("recovers what was killed after its log was gone and before the mask was", async () => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await publish(file, OURS, "a");
    const bytes = readFileSync(file);
    bytes.write("stem-sqlite open", "latin1");
    writeFileSync(file, bytes);
    expect(await drain(file, SQL_JS)).toEqual(["a", 2 ** 52]);
  });

  it.each<[string, StemErrorCode, (bytes: Buffer) => Buffer]>([
    ["is a text", "STEM_NOT_A_QUEUE_DATABASE", () => Buffer.from("this is not a database at all")],
    ["is of another application", "STEM_NOT_A_QUEUE_DATABASE", (bytes) => (bytes.writeUInt32BE(1, 68), bytes)],
    ["is newer", "STEM_SCHEMA_TOO_NEW", (bytes) => (bytes.writeUInt32BE(1_000, 60), bytes)],
    ["is cut short", "STEM_DATABASE_CORRUPT", (bytes) => bytes.subarray(0, 50)],
    ["is damaged", "STEM_DATABASE_CORRUPT", (bytes) => bytes.fill(0x55, 4_096, 40_000)],
  ])("refuses a file that %s, and leaves it alone", async (_what, code, spoil) => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await publish(file, SQL_JS, "a");
    const bytes = spoil(readFileSync(file));
    writeFileSync(file, bytes);
    await expectError(() => SqliteBroker.open(file, SQL_JS), code);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it("refuses a storage that cannot replace a file as a whole", async () => {
    const storage = new SimDisk();
    await expectError(() => SqliteBroker.open("a.db", { ...SQL_JS, storage }), "STEM_UNSUPPORTED_ENVIRONMENT");
  });

  it("keeps the permissions of the file, and leaves nothing beside it", async () => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await publish(file, OURS, "a");
    chmodSync(file, 0o640);
    await publish(file, SQL_JS, "b");
    expect([statSync(file).mode & 0o777, existsSync(`${file}-stemnew`)]).toEqual([0o640, false]);
  });

  it("has one owner: a second engine in this thread, or another one, joins it or is refused", async () => {
    const storage = nodeStorage({ directory: useTempDirectory() });
    await using first = await SqliteBroker.open("a.db", { ...SQL_JS, storage });
    await using member = await SqliteBroker.open("a.db", {
      ...OURS,
      storage: { ...storage, capabilities: { ...storage.capabilities, exclusiveAcrossContexts: false } },
    });
    await member.publish(anEnvelope({ id: "a" }));
    expect(await first.pendingCount("default")).toBe(1);
    const other = { ...sqlJs };
    await expectError(() => SqliteBroker.open("a.db", { storage, sqlEngine: other }), "STEM_INVALID_OPTION");
    await using same = await SqliteBroker.open("a.db", { storage, logger: silentLogger });
    expect(await same.pendingCount("default")).toBe(1);
  });
});

describe("the option sqlEngine", () => {
  it("shows in what the database says of itself", async () => {
    await using broker = await SqliteBroker.open(join(useTempDirectory(), "jobs.sqlite"), SQL_JS);
    const { engine, bytes, logBytes, memoryBytes, survives } = await broker.health();
    expect(engine).toMatchObject({ name: "sql.js", place: "inline", version: expect.stringMatching(/^3\./) });
    expect([bytes % 4096, bytes > 0, logBytes, memoryBytes >= bytes, survives]).toEqual([
      0,
      true,
      0,
      true,
      "power-cut",
    ]);
  });

  it("lets the database be copied, and refuses what only the package's own engine can do", async () => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    await publish(file, SQL_JS, "a");
    await using database = await SqliteDatabase.open(file, SQL_JS);
    await using broker = await SqliteBroker.open(file, SQL_JS);
    await broker.publish(anEnvelope({ id: "b" }));
    const copy = await database.export();
    await expectError(() => database.query("select 1"), "STEM_UNSUPPORTED_ENVIRONMENT");
    const other = join(useTempDirectory(), "copy.sqlite");
    await expectError(() => importDatabase(other, copy, SQL_JS), "STEM_INVALID_OPTION");
    await importDatabase(other, copy, OURS);
    expect(await drain(other, SQL_JS)).toEqual(["a", 2 ** 52, "b", undefined]);
  });

  it("is refused together with an engine in a thread", async () => {
    const options = { sqlEngine: sqlJs, engine: "thread" } as const;
    await expectError(() => SqliteBroker.open(":memory:", options), "STEM_INVALID_OPTION");
  });

  it("runs in this thread where the platform would start one", async () => {
    const file = join(useTempDirectory(), "jobs.sqlite");
    const prepared: string[] = [];
    const sqlEngine = {
      ...sqlJs,
      open: (...args: Parameters<typeof sqlJs.open>) => (prepared.push("here"), sqlJs.open(...args)),
    };
    await publish(file, { sqlEngine }, "a");
    expect([prepared, await drain(file, OURS)]).toEqual([["here"], ["a", 2 ** 52]]);
  });

  it("takes sql.js as the caller has it", async () => {
    const { sqlJsEngine } = await import("../../../adapters/sqljs/index.ts");
    const sqlEngine = sqlJsEngine({ sqlJs: await initSqlJs() });
    await using broker = await SqliteBroker.open(":memory:", { sqlEngine });
    await broker.publish(anEnvelope());
    expect(await broker.pendingCount("default")).toBe(1);
  });
});
