import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import type { WasmDatabase } from "../../../adapters/sqlite/database/wasm-database.ts";
import {
  COUNT_DEAD_LETTERS,
  COUNT_QUEUES,
  LIST_DELAYED,
  LIST_INFLIGHT,
  LIST_READY,
} from "../../../adapters/sqlite/sql/inspection.ts";
import { COUNT_INFLIGHT, COUNT_PENDING } from "../../../adapters/sqlite/sql/queue-jobs.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { aLease, openTestDatabase } from "./database/open-engine.ts";
import { aPublish, NAMESPACE, openOwner } from "./hub/open-owner.ts";

describe("pages of large messages", () => {
  it("end before they are too large for one answer, and the next one goes on", async () => {
    const broker = await SqliteBroker.open("jobs", { storage: memoryStorage(), maxPayloadBytes: 16_000_000 });
    onTestFinished(() => broker.close());
    const text = "x".repeat(7_000_000);
    for (const id of ["1", "2", "3", "4", "5"]) await broker.publish(anEnvelope({ id, queue: "mail", args: { text } }));
    const ids: string[][] = [];
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const page: Awaited<ReturnType<SqliteBroker["listPending"]>> = await broker.listPending("mail", { offset });
      ids.push(page.entries.map(({ envelope }) => envelope.id));
      offset = page.nextOffset;
    }
    expect(ids).toEqual([["1", "2"], ["3", "4"], ["5"]]);
  });

  it("hold one message at least, however large", async () => {
    const { client } = await openOwner();
    for (const id of ["1", "2"]) {
      const { namespace, message } = aPublish({ id });
      await client.call("publish", { namespace, message: { ...message, envelope: "x".repeat(20_000_000) } });
    }
    const list = { namespace: NAMESPACE, queue: "mail", limit: 50 };
    const first = await client.call("listPending", { ...list, offset: 0 });
    expect([first.rows.map(({ id }) => id), first.hasMore]).toEqual([["1"], true]);
    const second = await client.call("listPending", { ...list, offset: 1 });
    expect([second.rows.map(({ id }) => id), second.hasMore]).toEqual([["2"], false]);
  });
});

const STATEMENTS = {
  COUNT_QUEUES,
  COUNT_DEAD_LETTERS,
  COUNT_PENDING,
  COUNT_INFLIGHT,
  LIST_READY,
  LIST_DELAYED,
  LIST_INFLIGHT,
};

describe("query plans of inspection", () => {
  let database: WasmDatabase;

  beforeAll(async () => {
    ({ database } = await openTestDatabase(await aLease()));
  });

  it.each([
    // Counting needs a look at each message of the namespace, in any order.
    ["COUNT_QUEUES", "SEARCH queue_jobs USING INDEX queue_jobs_by_id (namespace=?)", "USE TEMP B-TREE FOR GROUP BY"],
    [
      "COUNT_PENDING",
      "SCAN CONSTANT ROW",
      "SCALAR SUBQUERY 1",
      "SEARCH queue_jobs USING INDEX queue_jobs_for_claim (queue_key=?)",
      "SCALAR SUBQUERY 2",
      "SEARCH queue_jobs USING INDEX queue_jobs_for_due (due_at<?)",
    ],
    ["COUNT_INFLIGHT", "SEARCH queue_jobs USING INDEX queue_jobs_for_due (due_at>?)"],
    ["COUNT_DEAD_LETTERS", "SEARCH dead_letters USING COVERING INDEX dead_letters_for_list (namespace=?)"],
    [
      "LIST_READY",
      "MERGE (UNION ALL)",
      "LEFT",
      "SEARCH queue_jobs USING INDEX queue_jobs_for_claim (queue_key=?)",
      "RIGHT",
      "SEARCH queue_jobs USING INDEX queue_jobs_for_due (due_at<?)",
      // Only what is due and was not looked at: with a consumer there is next to nothing.
      "USE TEMP B-TREE FOR ORDER BY",
    ],
    [
      "LIST_DELAYED",
      "SEARCH queue_jobs USING INDEX queue_jobs_for_due (due_at>?)",
      "USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY",
    ],
    ["LIST_INFLIGHT", "SEARCH queue_jobs USING INDEX queue_jobs_for_due (due_at>?)"],
  ] as const)("%s reads by an index, and sorts no long list", (name, ...plan) => {
    const sql = STATEMENTS[name];
    const names = [...sql.matchAll(/:([A-Za-z]+)/g)].map(([, parameter]) => [parameter ?? "", null] as const);
    const rows = database.all<{ detail: string }>(`explain query plan ${sql}`, Object.fromEntries(names));
    expect(rows.map(({ detail }) => detail)).toEqual(plan);
  });
});

describe("messages that cannot be read", () => {
  it("are listed with a placeholder, so that one of them hides no others", async () => {
    const { client, clock } = await openOwner();
    const { namespace, message } = aPublish({ id: "broken" });
    await client.call("publish", { namespace, message: { ...message, envelope: "{" } });
    const { rows } = await client.call("listPending", { namespace, queue: "mail", limit: 10, offset: 0 });
    expect(rows).toEqual([{ id: "broken", envelope: "{", dueAt: clock.now(), isDelayed: false }]);
  });
});
