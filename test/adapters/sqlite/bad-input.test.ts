import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import type { Delivery } from "../../../src/contracts/broker.ts";
import { StemError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { STRANGERS } from "../../src/core/bad-values.ts";
import { NAUGHTY, ODD_NAMES } from "../../src/core/naughty-strings.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";

/** Names, contents and times of everything in a folder. */
function treeOf(directory: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted()) {
    const path = join(directory, entry);
    const { mode, size, mtimeMs } = lstatSync(path);
    hash.update(`${entry} ${mode} ${size} ${mtimeMs}\n`);
    if (lstatSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

async function errorOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  return undefined;
}

const OPTIONS = [
  "namespace",
  "defaultVisibilityTimeout",
  "pollInterval",
  "sweeperInterval",
  "deadLetterRetention",
  "maxDeliveries",
  "maxPayloadBytes",
  "storage",
  "engine",
  "durability",
  "clock",
  "randomness",
  "logger",
] as const;

describe("bad input: opening", () => {
  let directory: string;
  let before: string;

  beforeEach(() => {
    directory = useTempDirectory();
    writeFileSync(join(directory, "notes.txt"), "not a database, and longer than a header of SQLite is");
    writeFileSync(join(directory, "short"), "x");
    writeFileSync(
      join(directory, "foreign.db"),
      Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4_080)]),
    );
    writeFileSync(join(directory, "cut.db"), "SQLite format 3\0");
    mkdirSync(join(directory, "folder"));
    symlinkSync("nowhere.db", join(directory, "dangling"));
    symlinkSync("loop", join(directory, "loop"));
    before = treeOf(directory);
  });

  it.each(OPTIONS)("refuses every stranger as %s, and touches nothing", async (name) => {
    for (const [index, value] of STRANGERS.entries()) {
      if (name === "namespace" && (value === "5" || value === "NaN")) continue;
      const error = await errorOf(() => SqliteBroker.open(join(directory, "new.db"), { [name]: value }));
      expect(error, `${index}`).toBeInstanceOf(StemError);
      expect(error).toMatchObject({ outcome: "not-applied", retryable: false });
    }
    expect(treeOf(directory)).toBe(before);
  });

  it("refuses unknown options and options that are no object, and touches nothing", async () => {
    const bad = [
      null,
      5,
      "x",
      true,
      [],
      [1],
      { nameSpace: "a" },
      { timeout: 5 },
      JSON.parse('{"__proto__":1}'),
    ] as unknown[];
    for (const options of bad) {
      expect(await errorOf(() => SqliteBroker.open(join(directory, "new.db"), options as object))).toMatchObject({
        code: "STEM_INVALID_OPTION",
      });
    }
    expect(treeOf(directory)).toBe(before);
  });

  it.each([
    ["a folder", "folder"],
    ["the folder itself", "."],
    ["a folder with a slash", "folder/"],
    ["a text", "notes.txt"],
    ["a file of one byte", "short"],
    ["another program's database", "foreign.db"],
    ["a database that is cut short", "cut.db"],
    ["a file in a folder that is none", "notes.txt/x.db"],
    ["a link to itself", "loop"],
    ["a name with a NUL", "a\0b.db"],
    ["a name longer than names may be", "x".repeat(300)],
    ["a path longer than paths may be", "y/".repeat(3_000)],
  ])("refuses %s with a typed error, and touches nothing", async (_label, name) => {
    for (const engine of ["inline", "auto"] as const) {
      const error = await errorOf(() => SqliteBroker.open(`${directory}/${name}`, { engine, logger: silentLogger }));
      expect(error).toBeInstanceOf(StemError);
      expect(error).toMatchObject({ outcome: "not-applied" });
      expect((error as Error).message.length).toBeLessThan(10_000);
    }
    expect(treeOf(directory)).toBe(before);
  });

  it.skipIf(process.platform !== "linux").each(["/dev/null", "/dev/zero", "/proc/self/mem", "/"])(
    "refuses the device or special file %s",
    async (path) => {
      expect(await errorOf(() => SqliteBroker.open(path, { engine: "inline", logger: silentLogger }))).toBeInstanceOf(
        StemError,
      );
    },
  );
});

describe("bad input: a broker at work", () => {
  let broker: SqliteBroker;

  beforeEach(async () => {
    broker = await SqliteBroker.open(":memory:", { logger: silentLogger });
    await broker.publish(anEnvelope({ queue: "mail" }));
    return () => broker.close();
  });

  async function refuses(calls: readonly (() => unknown)[]): Promise<void> {
    for (const [index, call] of calls.entries()) {
      const error = await errorOf(call);
      expect(error, `call ${index}`).toBeInstanceOf(StemError);
      expect(error, `call ${index}`).toMatchObject({ outcome: "not-applied" });
    }
    expect(await broker.pendingCount("mail")).toBe(1);
    expect((await broker.listDeadLetters("mail")).entries).toEqual([]);
    expect((await broker.publish(anEnvelope({ queue: "mail" }))).outcome).toBe("stored");
  }

  const strangers = STRANGERS.filter((value) => value !== "5" && value !== "NaN");

  it("refuses what is no envelope, and every field that is bad", async () => {
    const good = anEnvelope({ queue: "mail" });
    await refuses([
      ...STRANGERS.map((value) => () => broker.publish(value as never)),
      ...[
        "id",
        "name",
        "queue",
        "args",
        "headers",
        "meta",
        "enqueuedAt",
        "attempt",
        "maxRetries",
        "visibilityTimeout",
        "notBefore",
      ].flatMap((field) =>
        strangers
          .filter((value) => !((field === "args" || field === "headers" || field === "meta") && isRecord(value)))
          .filter((value) => !((field === "enqueuedAt" || field === "notBefore") && value instanceof Date))
          .map((value) => () => broker.publish({ ...good, [field]: value })),
      ),
      ...strangers
        .filter((value) => typeof value !== "number" || !Number.isInteger(value))
        .map((value) => () => broker.publish({ ...good, priority: value as number })),
      ...STRANGERS.filter((value) => !Array.isArray(value) || value.length > 0).map(
        (value) => () => broker.publishAll(value as never),
      ),
      () => broker.publishAll([good, { ...good, id: "other", args: { bad: 1n as never } }]),
    ]);
  });

  it("refuses bad publish options", async () => {
    const good = anEnvelope({ queue: "mail" });
    await refuses([
      ...[null, 5, "x", true, [], [1], { unknown: 1 }].map((options) => () => broker.publish(good, options as never)),
      ...STRANGERS.map((onConflict) => () => broker.publish(good, { onConflict } as never)),
      ...STRANGERS.map((routing) => () => broker.publish(good, { routing } as never)),
      ...STRANGERS.map((type) => () => broker.publish(good, { routing: { type, meta: {} } } as never)),
      ...strangers.map((queue) => () => broker.publish(good, { routing: { type: "queue", queue, meta: {} } } as never)),
      ...strangers.map(
        (broadcastChannel) => () =>
          broker.publish(good, { routing: { type: "broadcast", broadcastChannel, meta: {} } } as never),
      ),
    ]);
  });

  it("refuses bad subscriptions and consume options, at the call", async () => {
    await refuses([
      ...STRANGERS.map((value) => () => broker.consume(value as never)),
      ...STRANGERS.map((queues) => () => broker.consume({ queues } as never)),
      ...strangers.map((queue) => () => broker.consume({ queues: [queue] } as never)),
      ...STRANGERS.map((prefetch) => () => broker.consume({ queues: ["mail"] }, { prefetch } as never)),
      ...[0, 10_001, 1e9, 1.5].map((prefetch) => () => broker.consume({ queues: ["mail"] }, { prefetch })),
      ...strangers
        .filter((value) => value !== null)
        .map((consumerName) => () => broker.consume({ queues: ["mail"] }, { consumerName } as never)),
      () => broker.consume({ queues: ["mail"] }, { batch: 5 } as never),
    ]);
  });

  it("refuses what is no delivery, and receipts that it never gave", async () => {
    const delivery = {
      envelope: anEnvelope({ queue: "mail" }),
      token: 1,
      deliveries: 1,
      leaseMs: 5,
      route: { type: "queue", meta: {} },
    } as const;
    const receipts = [
      "",
      "1",
      "1:",
      ":1",
      "1:1",
      "1:0",
      "0:0",
      "-1:-1",
      "1:1 ",
      " 1:1",
      "1:1:1",
      "1e3:1",
      "0x1:1",
      "9999999999999999:9999999999999999",
      "99999999999999999999:1",
      "NaN:NaN",
      "1\0:1",
      "١:١",
      null,
      undefined,
      5,
      {},
      [],
      true,
    ];
    const calls = (value: unknown): (() => unknown)[] => [
      () => broker.ack(value as Delivery),
      () => broker.nack(value as Delivery),
      () => broker.nack(value as Delivery, { requeue: false }),
      () => broker.deadLetter(value as Delivery),
      () => broker.extendLease(value as Delivery, 1_000),
      () => broker.retry(value as Delivery, delivery.envelope),
    ];
    await refuses([
      ...receipts.flatMap((receipt) => calls({ ...delivery, receipt })),
      ...STRANGERS.flatMap(calls),
      ...[{ receipt: "1:1" }, { receipt: "1:1", envelope: null }, { receipt: "1:1", envelope: 5 }].flatMap(calls),
    ]);
  });

  it("refuses bad names and options of everything else", async () => {
    await refuses([
      ...NAUGHTY.flatMap((name) => [
        () => broker.purge(name),
        () => broker.pendingCount(name),
        () => broker.inflightCount(name),
        () => broker.listDeadLetters(name),
        () => broker.getDeadLetter(name, "id"),
        () => broker.getDeadLetter("mail", name),
        () => broker.replayDeadLetters(name),
        () => broker.purgeDeadLetters(name),
      ]),
      ...STRANGERS.flatMap((value) => [
        () => broker.listDeadLetters("mail", { limit: value as number }),
        () => broker.listDeadLetters("mail", { offset: value as number }),
        () => broker.replayDeadLetters("mail", { limit: value as number }),
        () => broker.replayDeadLetters("mail", { delay: value as number }),
        () => broker.purgeDeadLetters("mail", { limit: value as number }),
      ]),
    ]);
  });

  it("keeps odd, yet valid, names apart in every place", async () => {
    for (const name of ODD_NAMES) {
      const id = `id-${name.slice(0, 150)}`;
      await broker.publish(anEnvelope({ queue: name, id, name, args: { text: NAUGHTY } }));
    }
    for (const name of ODD_NAMES) {
      expect(await broker.pendingCount(name), name).toBe(1);
      const consumer = broker.consume({ queues: [name] }, { consumerName: name });
      const { value } = await consumer.next();
      expect(value?.envelope).toMatchObject({ queue: name, name, args: { text: NAUGHTY } });
      if (value !== undefined) await broker.deadLetter(value, { reason: "'; drop table queue_jobs; -- a\0b" });
      await consumer.return();
      const { entries } = await broker.listDeadLetters(name);
      expect(entries).toMatchObject([{ reason: "'; drop table queue_jobs; -- a\0b", envelope: { queue: name } }]);
    }
    expect(await broker.pendingCount("mail")).toBe(1);
  });
});

function isRecord(value: unknown): boolean {
  return typeof value === "object" && !Array.isArray(value);
}
