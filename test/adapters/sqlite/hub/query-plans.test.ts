import { beforeAll, describe, expect, it } from "vitest";
import type { WasmDatabase } from "../../../../adapters/sqlite/database/wasm-database.ts";
import * as deadLetters from "../../../../adapters/sqlite/sql/dead-letters.ts";
import * as queueJobs from "../../../../adapters/sqlite/sql/queue-jobs.ts";
import { aLease, openTestDatabase } from "../database/open-engine.ts";

const BY_SEQ = "SEARCH queue_jobs USING INTEGER PRIMARY KEY (rowid=?)";
const BY_ID = "SEARCH queue_jobs USING INDEX queue_jobs_by_id (namespace=? AND id=?)";

/** What each statement that runs per message, or per timer, is served by. */
const HOT: Readonly<Record<string, readonly string[]>> = {
  INSERT_JOB: [],
  INSERT_READY_JOB: [],
  FIND_JOB: [BY_ID],
  DELETE_JOB: [BY_SEQ],
  SELECT_READY: ["SEARCH queue_jobs USING INDEX queue_jobs_for_claim (queue_key=?)"],
  LEASE_JOB: [BY_SEQ],
  ACK_JOB: [BY_SEQ],
  FIND_DELIVERED: [BY_SEQ],
  REQUEUE_JOB: [BY_SEQ],
  RETRY_JOB: [BY_SEQ],
  EXTEND_LEASE: [BY_SEQ],
  SELECT_DUE: ["SEARCH queue_jobs USING INDEX queue_jobs_for_due (due_at<?)"],
  MAKE_READY: [BY_SEQ],
  FIND_LEASE: [BY_SEQ],
  RELEASE_LEASE: [BY_SEQ],
  NEXT_DUE: ["SEARCH queue_jobs USING INDEX queue_jobs_for_due"],
  PURGE_READY: ["SEARCH queue_jobs USING INDEX queue_jobs_for_claim (queue_key=?)"],
  INSERT_DEAD_LETTER: [],
  LIST_DEAD_LETTERS: ["SEARCH dead_letters USING INDEX dead_letters_for_list (namespace=? AND queue=?)"],
  GET_DEAD_LETTER: ["SEARCH dead_letters USING INDEX dead_letters_by_id (namespace=? AND queue=? AND id=?)"],
  DELETE_DEAD_LETTER: ["SEARCH dead_letters USING INTEGER PRIMARY KEY (rowid=?)"],
};

/** Statements that look at all rows of one kind: after a crash, a jump of the clock, or when somebody asks. */
const RARE: readonly string[] = ["SHIFT_LEASES", "RELEASE_ORPHANS", "BOUND_LEASES", "INHERITED_LEASES"];

const STATEMENTS: Readonly<Record<string, string>> = { ...queueJobs, ...deadLetters };

describe("query plans of queues and dead letters", () => {
  let database: WasmDatabase;

  beforeAll(async () => {
    ({ database } = await openTestDatabase(await aLease()));
  });

  const planOf = (sql: string): readonly string[] => {
    const names = [...sql.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => [name ?? "", null] as const);
    const rows = database.all<{ detail: string }>(`explain query plan ${sql}`, Object.fromEntries(names));
    return rows.map(({ detail }) => detail);
  };

  it.each(Object.keys(HOT))("%s is served by its index alone", (name) => {
    expect(planOf(STATEMENTS[name] ?? "")).toEqual(HOT[name]);
  });

  it.each(Object.keys(STATEMENTS).filter((name) => !RARE.includes(name)))(
    "%s scans no table and sorts nothing",
    (name) => {
      const plan = planOf(STATEMENTS[name] ?? "");
      expect(plan.filter((detail) => /^SCAN (?!CONSTANT ROW)|TEMP B-TREE/.test(detail))).toEqual([]);
    },
  );
});
