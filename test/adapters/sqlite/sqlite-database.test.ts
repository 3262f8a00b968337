import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteBroker, SqliteDatabase } from "../../../adapters/entry/node.ts";
import { nodePlatform } from "../../../adapters/entry/node-platform.ts";
import { installPlatform } from "../../../adapters/sqlite/platform.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { createEnvelope } from "../../../src/index.ts";
import { readForeign } from "../../support/foreign-reader.ts";
import { asMember, inMemory, inThread, onClock, onFiles, POLL_INTERVAL, type SqlitePlace } from "./open-sqlite.ts";

const ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
const COUNT = "select count(*) from queue_jobs";

for (const [where, place] of [
  ["in memory", inMemory],
  ["on files", onFiles],
  ["in an engine thread", inThread],
  ["as a member in memory", asMember(inMemory)],
  ["as a member over a socket", asMember(onFiles)],
] as const) {
  describe(`SqliteDatabase ${where}`, () => {
    const opened: AsyncDisposable[] = [];
    let here: SqlitePlace;
    let broker: SqliteBroker;
    let database: SqliteDatabase;

    const keep = <T extends AsyncDisposable>(store: T): T => {
      opened.unshift(store);
      return store;
    };

    beforeEach(async () => {
      here = place();
      const { clock, owner, storage, engine } = here;
      const settings = { pollInterval: POLL_INTERVAL };
      if (owner !== undefined) {
        keep(await SqliteBroker.open("jobs.sqlite", { ...onClock(clock, owner), ...settings }));
      }
      broker = keep(await SqliteBroker.open("jobs.sqlite", { ...onClock(clock, storage, engine), ...settings }));
      database = keep(await SqliteDatabase.open("jobs.sqlite", onClock(clock, storage, engine)));
    });

    afterEach(async () => {
      for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
      here.remove();
      installPlatform(nodePlatform);
    });

    it("answers what the stores have written, with every kind of value", async () => {
      await broker.publish(createEnvelope({ id: "one", name: "mail" }));
      const parameters = { text: "x", none: null, blob: new Uint8Array([0, 255]), real: 0.5 };
      expect(
        await database.query("select id, :text, :none, :blob, :real, 9e999, -9e999 from queue_jobs", {
          parameters,
        }),
      ).toMatchObject({
        rows: [["one", "x", null, new Uint8Array([0, 255]), 0.5, Infinity, -Infinity]],
        truncated: false,
      });
    });

    it("sees what was called before it, in the same turn too", async () => {
      const published = broker.publish(createEnvelope({ name: "mail" }));
      const [{ rows }] = await Promise.all([database.query(COUNT), published]);
      expect(rows).toEqual([[1]]);
    });

    it("stops an endless query, and everybody else goes on", async () => {
      const calls = [
        broker.publish(createEnvelope({ name: "before" })),
        database.query(ENDLESS),
        database.query("delete from queue_jobs"),
        database.query("selec 1"),
        broker.publish(createEnvelope({ name: "after" })),
        database.query("select 9007199254740993"),
      ];
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.map((outcome) => (outcome.status === "rejected" ? codeOf(outcome.reason) : "done"))).toEqual([
        "done",
        "STEM_QUERY_LIMIT",
        "STEM_QUERY",
        "STEM_QUERY",
        "done",
        "STEM_QUERY",
      ]);
      expect((await database.query(COUNT)).rows).toEqual([[2]]);
    });

    it("returns a thousand rows unless told otherwise, and says when there are more", async () => {
      const numbers = "select value from json_each(:numbers)";
      const parameters = { numbers: JSON.stringify(Array.from({ length: 1_001 }, (_, index) => index)) };
      const some = await database.query(numbers, { parameters });
      expect([some.rows.length, some.truncated]).toEqual([1_000, true]);
      const all = await database.query(numbers, { parameters, maxRows: 1_001 });
      expect([all.rows.length, all.truncated]).toEqual([1_001, false]);
    });

    it("exports a copy that another SQLite program reads, and goes on", async () => {
      // More than one part of a copy goes into one message.
      const text = "x".repeat(100_000);
      for (let number = 0; number < 30; number += 1) {
        await broker.publish(createEnvelope({ id: `job-${number}`, name: "mail", args: { text } }));
      }
      const copy = await database.export();
      expect(copy.length).toBeGreaterThan(3_000_000);
      await broker.publish(createEnvelope({ name: "later" }));
      const ask = readForeign(copy);
      expect(ask("pragma integrity_check")).toEqual([["ok"]]);
      expect(ask(COUNT)).toEqual([[30]]);
      expect(ask("select count(*) from queue_jobs where length(envelope) > 100000")).toEqual([[30]]);
      expect(ask("pragma journal_mode")).not.toEqual([["wal"]]);
      expect(await broker.pendingCount("default")).toBe(31);
    });

    it("exports whole operations, whatever happens at the same time", async () => {
      const batches = Array.from({ length: 20 }, (_, batch) =>
        Promise.all([
          broker.publish(createEnvelope({ name: `batch-${batch}` })),
          ...(batch % 4 === 0 ? [database.export()] : []),
        ]),
      );
      const copies = (await Promise.all(batches)).flatMap(([, copy]) => (copy === undefined ? [] : [copy]));
      expect(copies).toHaveLength(5);
      for (const copy of copies) {
        expect(readForeign(copy)("pragma integrity_check")).toEqual([["ok"]]);
        expect(new TextDecoder().decode(copy.subarray(0, 15))).toBe("SQLite format 3");
      }
    });

    it("tells how the database is, as the stores do", async () => {
      expect(await database.health()).toEqual(await broker.health());
    });

    it("shares its file with the stores, and is closed alone", async () => {
      await database.close();
      await database.close();
      await expect(database.query(COUNT)).rejects.toMatchObject({ code: "STEM_CLOSED" });
      await expect(database.export()).rejects.toMatchObject({ code: "STEM_CLOSED" });
      expect(await broker.pendingCount("default")).toBe(0);
    });
  });
}

describe("SqliteDatabase", () => {
  const open = (): Promise<SqliteDatabase> => SqliteDatabase.open("a.db", { storage: memoryStorage() });

  it.each<[string, unknown, unknown, string]>([
    ["a number for SQL", 5, undefined, "sql"],
    ["NUL in SQL", "select 1\0", undefined, "sql"],
    ["too long SQL", `select 1 ${" ".repeat(100_000)}`, undefined, "sql"],
    ["no rows", "select 1", { maxRows: 0 }, "maxRows"],
    ["too many rows", "select 1", { maxRows: 100_001 }, "maxRows"],
    ["an unknown option", "select 1", { limit: 5 }, "limit"],
    ["a list of parameters", "select 1", { parameters: [1] }, "parameters"],
    ["a boolean", "select :a", { parameters: { a: true } }, "parameters.a"],
    ["NaN", "select :a", { parameters: { a: Number.NaN } }, "parameters.a"],
    ["a BigInt", "select :a", { parameters: { a: 1n } }, "parameters.a"],
    ["a date", "select :a", { parameters: { a: new Date(0) } }, "parameters.a"],
  ])("refuses %s", async (_label, sql, options, option) => {
    await using database = await open();
    await expect(database.query(sql as string, options as object)).rejects.toMatchObject({
      code: "STEM_INVALID_OPTION",
      details: { option },
    });
  });

  it("refuses options it does not know", async () => {
    await expect(SqliteDatabase.open("a.db", { namespace: "x" } as object)).rejects.toMatchObject({
      code: "STEM_INVALID_OPTION",
      details: { option: "namespace" },
    });
  });

  it("opens what a URL names", async () => {
    await using database = await SqliteDatabase.connect("sqlite::memory:");
    expect((await database.query(COUNT)).rows).toEqual([[0]]);
  });
});

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
