import { describe, expect, it } from "vitest";
import { MIGRATIONS } from "../../adapters/sqlite/migrations/index.ts";
import { SchemaTamperedError } from "../../src/error-database.ts";
import {
  DatabaseCorruptError,
  DatabaseReplacedError,
  NotAQueueDatabaseError,
  SchemaTooNewError,
  StemError,
} from "../../src/errors.ts";
import { crashImage } from "../support/crash-check.ts";
import { damage } from "../support/crash-check-damage.ts";
import { withOneEngine } from "../support/crash-check-engine.ts";
import { bytesOf, diskOf, type OpeningResult, tryOpening, useDatabase } from "../support/crash-check-files.ts";
import { record, report } from "../support/crash-check-suite.ts";
import type { SimContent } from "../support/sim-operations.ts";

type ErrorClass = abstract new (...parameters: never[]) => StemError;

const NOTHING: SimContent = new Map();
const FILES = Number(process.env["STEM_FUZZ_FILES"] ?? 2_000);
const FIRST_SEED = Number(process.env["STEM_FUZZ_SEED"] ?? 1);
const WAL_FREE = 0.5;

const recording = await record({ seed: 31, turns: 40, engine: { walAutocheckpoint: 12 } });
const closed = crashImage(recording, { mode: "killed", dirent: "strict", index: recording.operations.length });
const killed = crashImage(recording, {
  mode: "killed",
  dirent: "strict",
  index: Math.floor(recording.operations.length * 0.8),
});

describe("a file that is no queue is refused and left as it is", () => {
  const foreign: readonly (readonly [string, Uint8Array, ErrorClass])[] = [
    ["one byte", Uint8Array.of(83), NotAQueueDatabaseError],
    ["text", text("name,amount\nApples,3\n"), NotAQueueDatabaseError],
    ["zeros", new Uint8Array(8_192), NotAQueueDatabaseError],
    ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...new Uint8Array(64)), NotAQueueDatabaseError],
    ["a magic cut short", text("SQLite form"), NotAQueueDatabaseError],
    ["a header cut short", text("SQLite format 3\0"), DatabaseCorruptError],
    ["a guard without a database", text("stem-sqlite open"), DatabaseCorruptError],
    ["a database of another application", edited({ 68: 1 }), NotAQueueDatabaseError],
    ["a database of no application", edited({ 68: 0, 69: 0, 70: 0, 71: 0 }), NotAQueueDatabaseError],
    ["a way of writing that does not exist", edited({ 18: 3 }), DatabaseCorruptError],
    ["half of a queue", bytesOf(closed, "db").slice(0, bytesOf(closed, "db").length >> 1), DatabaseCorruptError],
  ];

  it.each(foreign)("%s", async (_, db, expected) => {
    expectRefused(await tryOpening(diskOf({ db })), expected);
  });

  it.each(["wal", "journal"] as const)("a queue beside the %s of another file", async (name) => {
    const files = diskOf({ db: bytesOf(closed, "db"), [name]: text("not empty") });
    expectRefused(await tryOpening(files), DatabaseReplacedError);
  });
});

describe("a schema that is not what the library made is refused and left as it is", () => {
  const changes: readonly (readonly [string, string])[] = [
    ["a trigger", "create trigger spy after delete on queue_jobs begin delete from dead_letters; end"],
    ["a view", "create view jobs as select * from queue_jobs"],
    ["a table", "create table extra (id integer)"],
    ["an index", "create index extra on queue_jobs (consumer)"],
    ["a column", "alter table queue_jobs add column extra text"],
    ["a renamed column", "alter table queue_jobs rename column consumer to holder"],
    ["a renamed table", "alter table dead_letters rename to buried"],
    ["an index that is gone", "drop index queue_jobs_for_claim"],
    ["a table that is gone", "drop table engine"],
    ["an older version number", "pragma user_version = 2"],
    ["no version number", "pragma user_version = 0"],
  ];

  it.each(changes)("%s", async (_, statement) => {
    for (const kill of [false, true]) {
      const changed = await useDatabase(closed, (database) => void database.run(statement), { kill });
      expectRefused(await tryOpening(changed), SchemaTamperedError);
    }
  });

  it("a table made with other columns", async () => {
    const changed = await useDatabase(closed, (database) => {
      database.run("drop table engine");
      database.run("create table engine (id integer primary key, epoch text)");
    });
    expectRefused(await tryOpening(changed), SchemaTamperedError);
  });
});

describe("a database of a newer release is refused and left as it is", () => {
  it.each([
    ["that was closed", closed],
    ["whose owner was killed", killed],
  ] as const)("one %s", async (_, content) => {
    const supported = MIGRATIONS.length - 1;
    const result = await tryOpening(content, { migrations: MIGRATIONS.slice(0, supported) });
    expectRefused(result, SchemaTooNewError);
    expect((result.error as StemError).details).toMatchObject({ found: MIGRATIONS.length, supported });
  });
});

describe("what is not damaged is opened", () => {
  it.each([
    ["an empty file", diskOf({ db: new Uint8Array(0) })],
    ["no file", NOTHING],
    ["a closed queue", closed],
    ["a queue whose owner was killed", killed],
  ] as const)("%s", async (_, content) => {
    expect(await tryOpening(content)).toMatchObject({ opened: true, error: undefined });
  });
});

describe("a damaged queue is refused with a typed error and left as it is, or it works", () => {
  it.each([
    ["closed", closed],
    ["killed", killed],
  ] as const)(`%s, ${FILES} files from STEM_FUZZ_SEED=${FIRST_SEED}`, async (name, content) => {
    const counts = new Map<string, number>();
    const bad: string[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + FILES; seed++) {
      const result = await withOneEngine(async (pool) => {
        const opening = await tryOpening(damaged(content, seed));
        if (opening.error !== undefined && !(opening.error instanceof StemError)) pool.discard();
        return opening;
      });
      const kind = describeResult(result);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      const typed = result.error === undefined || result.error instanceof StemError;
      if (typed && (result.opened || result.untouched)) continue;
      bad.push(`${kind}: STEM_FUZZ_FILES=1 STEM_FUZZ_SEED=${seed} npx vitest run test/reliability/bad-files.test.ts`);
    }
    report(`${FILES} damaged files (${name}): ${JSON.stringify(Object.fromEntries(counts))}`);
    expect(bad).toEqual([]);
  });
});

function damaged(content: SimContent, seed: number): SimContent {
  const db = bytesOf(content, "db");
  const wal = bytesOf(content, "wal");
  if (wal.length === 0) return diskOf({ db: damage(db, seed) });
  return seed % 2 < WAL_FREE ? diskOf({ db: damage(db, seed), wal }) : diskOf({ db, wal: damage(wal, seed) });
}

function describeResult({ error, opened, untouched }: OpeningResult): string {
  const what = error === undefined ? "works" : error instanceof StemError ? error.code : `untyped ${String(error)}`;
  return opened ? what : `refused, ${untouched ? "" : "not "}untouched, ${what}`;
}

function expectRefused(result: OpeningResult, expected: ErrorClass): void {
  expect(result.error).toBeInstanceOf(expected);
  expect(result).toMatchObject({ opened: false, untouched: true });
}

function edited(changes: Readonly<Record<number, number>>): Uint8Array {
  const bytes = bytesOf(closed, "db");
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

function text(value: string): Uint8Array {
  return Uint8Array.from(value, (letter) => letter.charCodeAt(0));
}
