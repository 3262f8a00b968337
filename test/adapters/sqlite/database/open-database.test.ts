import { beforeAll, describe, expect, it } from "vitest";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import type { StorageDriver, StorageFileName } from "../../../../src/contracts/storage-driver.ts";
import { DatabaseCorruptError, type StemErrorCode, StemError } from "../../../../src/errors.ts";
import { createSeededRandomness } from "../../../../src/testing/seeded-randomness.ts";
import { aLease, openTestDatabase } from "./open-engine.ts";

const SEED = Number(process.env["STEM_SEED"] ?? 20_261_124);

type Files = Partial<Record<StorageFileName, Uint8Array>>;

/** A driver that holds these files. */
async function holding(files: Files): Promise<StorageDriver> {
  const driver = memoryStorage();
  const lease = await aLease(driver);
  for (const [name, bytes] of Object.entries(files) as [StorageFileName, Uint8Array][]) {
    const file = lease.open(name);
    file.write(bytes, 0);
    file.close();
  }
  await lease.release();
  return driver;
}

async function filesOf(driver: StorageDriver): Promise<Files> {
  const lease = await aLease(driver);
  const files: Files = {};
  for (const name of ["db", "wal", "journal"] as const) {
    if (!lease.exists(name)) continue;
    const file = lease.open(name);
    const bytes = new Uint8Array(file.size());
    file.read(bytes, 0);
    file.close();
    files[name] = bytes;
  }
  await lease.release();
  return files;
}

/** A cleanly closed database, after `work` on it. */
async function aDatabase(work: readonly string[] = []): Promise<Files> {
  const driver = memoryStorage();
  const lease = await aLease(driver);
  const { database } = await openTestDatabase(lease);
  for (const sql of work) database.run(sql);
  database.close();
  await lease.release();
  return filesOf(driver);
}

/** Opens and closes; what was thrown, and the files afterwards. */
async function open(files: Files): Promise<{ error: unknown; after: Files }> {
  const driver = await holding(files);
  const lease = await aLease(driver);
  let error: unknown;
  try {
    const { database } = await openTestDatabase(lease);
    database.all("select id, envelope from queue_jobs order by queue, id");
    database.close();
  } catch (thrown) {
    error = thrown;
  }
  await lease.release();
  return { error, after: await filesOf(driver) };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function changed(files: Files, at: number, bytes: readonly number[]): Files {
  const db = files.db?.slice() ?? new Uint8Array(0);
  db.set(bytes, at);
  return { ...files, db };
}

describe("database/open-database", () => {
  let clean: Files;

  beforeAll(async () => {
    clean = await aDatabase();
  });

  it("makes an empty file a database, and leaves nothing beside it", async () => {
    const { error, after } = await open({});
    expect(error).toBeUndefined();
    expect(Object.keys(after)).toEqual(["db"]);
    expect((await open(after)).error).toBeUndefined();
  });

  it.each<[string, () => Files, StemErrorCode]>([
    ["a text", () => ({ db: text("hello, this is a text and no database at all") }), "STEM_NOT_A_QUEUE_DATABASE"],
    ["zeros", () => ({ db: new Uint8Array(8_192) }), "STEM_NOT_A_QUEUE_DATABASE"],
    ["one byte", () => ({ db: text("S") }), "STEM_NOT_A_QUEUE_DATABASE"],
    ["a header that is cut short", () => ({ db: clean.db?.slice(0, 50) ?? text("") }), "STEM_DATABASE_CORRUPT"],
    ["another application's database", () => changed(clean, 68, [1, 2, 3, 4]), "STEM_NOT_A_QUEUE_DATABASE"],
    ["a database of no application", () => changed(clean, 68, [0, 0, 0, 0]), "STEM_NOT_A_QUEUE_DATABASE"],
    ["a later release's database", () => changed(clean, 60, [0, 0, 0, 99]), "STEM_SCHEMA_TOO_NEW"],
    [
      "a database whose log belongs to another file",
      () => ({ ...clean, wal: text("some log") }),
      "STEM_DATABASE_REPLACED",
    ],
  ])("refuses %s and leaves every byte as it was", async (_label, make, code) => {
    const files = make();
    const { error, after } = await open(files);
    expect(error).toMatchObject({ code, outcome: "not-applied" });
    expect(after).toEqual(files);
  });

  it.each([
    "create trigger eater after insert on queue_jobs begin delete from queue_jobs; end",
    "create view peek as select * from queue_jobs",
    "create table more (a)",
    "create index slow on queue_jobs (envelope)",
    "drop index queue_jobs_for_due",
    "alter table queue_jobs add column more text",
    "drop table revocations",
  ])("refuses a schema after %j, and leaves the data as it was", async (sql) => {
    const { error, after } = await open(await aDatabase([sql]));
    expect(error).toMatchObject({ code: "STEM_SCHEMA_TAMPERED", details: { finding: expect.any(String) } });
    expect(after.db?.length).toBeGreaterThan(4_096);
  });

  it("opens what an earlier owner was killed with, and says so", async () => {
    const driver = memoryStorage();
    const lease = await aLease(driver);
    const first = await openTestDatabase(lease);
    first.database.run("insert into revocations values ('n', 't', 1, 1, 0, null, null, null)");
    first.database.abandon();
    const { database, recovered } = await openTestDatabase(lease);
    expect(recovered).toBe(true);
    expect(database.all("select task_id from revocations")).toEqual([{ task_id: "t" }]);
    database.close();
    await lease.release();
  });
});

describe("database/open-database on damaged files", () => {
  it(`answers a typed error or opens, and never deletes or traps, seed ${SEED}`, async () => {
    const random = createSeededRandomness(SEED).number;
    const pick = (below: number): number => Math.floor(random() * below);
    const rows = Array.from({ length: 60 }, (_, index) => {
      const columns = "namespace, id, queue, queue_key, priority, state, due_at, envelope";
      return `insert into queue_jobs (${columns}) values ('n', 'id-${index}', 'q', 1, 0, 0, 0, '${"x".repeat(index * 40)}')`;
    });
    const sound = await aDatabase(rows);
    const counts = { opened: 0, corrupt: 0, other: 0 };
    for (let round = 0; round < 150; round += 1) {
      const db = sound.db?.slice() ?? new Uint8Array(0);
      const what = pick(3);
      if (what === 0) for (let flip = 0; flip <= pick(4); flip += 1) db[pick(db.length)] = pick(256);
      else if (what === 1) db.fill(pick(256), 4_096 * pick(db.length / 4_096), db.length);
      const files: Files = { db: what === 2 ? db.slice(0, 100 + pick(db.length - 100)) : db };
      const { error, after } = await open(files).catch((thrown: unknown) => {
        throw new Error(
          `Replay: STEM_SEED=${SEED} npx vitest run test/adapters/sqlite/database/open-database.test.ts`,
          { cause: thrown },
        );
      });
      if (error === undefined) counts.opened += 1;
      else if (error instanceof DatabaseCorruptError) counts.corrupt += 1;
      else counts.other += 1;
      expect(error === undefined || error instanceof StemError, `round ${round}: ${String(error)}`).toBe(true);
      expect(after.db?.length, `round ${round}`).toBeGreaterThan(0);
    }
    expect(counts.corrupt).toBeGreaterThan(20);
  });
});
