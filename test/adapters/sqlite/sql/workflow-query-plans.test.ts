import { beforeAll, describe, expect, it } from "vitest";
import * as events from "../../../../adapters/sqlite/sql/workflow-events.ts";
import * as outbox from "../../../../adapters/sqlite/sql/workflow-outbox.ts";
import * as runs from "../../../../adapters/sqlite/sql/workflow-runs.ts";
import * as steps from "../../../../adapters/sqlite/sql/workflow-steps.ts";
import * as waits from "../../../../adapters/sqlite/sql/workflow-waits.ts";
import { type OperationBench, openOperationBench } from "../operation-bench.ts";

interface PlanStep {
  readonly parent: number;
  readonly detail: string;
}

/** The whole table, but only after a jump of the wall clock. */
const SCANS: ReadonlySet<string> = new Set(["SHIFT_RUN_LEASES"]);
/** What these sort is the steps or waits of one run, of one page of runs, or who waits for one topic. */
const SORTS: ReadonlySet<string> = new Set([
  "LIST_STEPS",
  "LIST_WAITS",
  "LIST_WAITS_OF_RUNS",
  "LIST_WAITING_RUNS",
  "LIST_CHILD_RUNS",
  "LIST_BOUND_CHILDREN",
  "PRUNE_STEPS",
  "PRUNE_HEARD",
  "PRUNE_RUNS",
]);
const INDEXES: readonly (readonly [name: string, sql: string, uses: string])[] = [
  ["LIST_RUNS", runs.LIST_RUNS, "SEARCH wf_runs USING INDEX wf_runs_for_list (namespace=?)"],
  [
    "LIST_CHILD_RUNS",
    runs.LIST_CHILD_RUNS,
    "SEARCH wf_runs USING INDEX wf_runs_by_parent (namespace=? AND parent_run_id=?)",
  ],
  [
    "LIST_RUNNABLE",
    runs.LIST_RUNNABLE,
    "SEARCH wf_runs USING INDEX wf_runs_for_due (namespace=? AND continuation_at<?)",
  ],
  ["LIST_LOST", runs.LIST_LOST, "SEARCH queue_jobs USING COVERING INDEX queue_jobs_by_id (namespace=? AND id=?)"],
  [
    "LIST_WATCHERS",
    waits.LIST_WATCHERS,
    "SEARCH wf_waits USING INDEX wf_waits_for_topic (namespace=? AND kind=? AND topic=?)",
  ],
  [
    "LIST_BOUND_CHILDREN",
    runs.LIST_BOUND_CHILDREN,
    "SEARCH wf_runs USING INDEX wf_runs_by_parent (namespace=? AND parent_run_id=?)",
  ],
  [
    "PRUNE_RUNS",
    runs.PRUNE_RUNS,
    "SEARCH wf_runs USING COVERING INDEX wf_runs_for_expiry (namespace=? AND expires_at<?)",
  ],
  [
    "LIST_WAITING_RUNS",
    waits.LIST_WAITING_RUNS,
    "SEARCH wf_waits USING INDEX wf_waits_for_topic (namespace=? AND kind=? AND topic=?)",
  ],
  ["NEXT_EVENT", events.NEXT_EVENT, "SEARCH wf_events USING PRIMARY KEY (namespace=? AND topic=? AND sequence>?)"],
  [
    "FIND_EVENT",
    events.FIND_EVENT,
    "SEARCH wf_events USING INDEX wf_events_by_id (namespace=? AND topic=? AND event_id=?)",
  ],
  [
    "LIST_CONTINUATIONS",
    outbox.LIST_CONTINUATIONS,
    "SEARCH wf_outbox USING INDEX wf_outbox_for_publishing (namespace=?)",
  ],
  ["DELETE_MESSAGE", outbox.DELETE_MESSAGE, "SEARCH queue_jobs USING INDEX queue_jobs_by_id (namespace=? AND id=?)"],
];

const ALL = Object.entries({ ...events, ...outbox, ...runs, ...steps, ...waits });

describe("query plans of workflows", () => {
  let bench: OperationBench;

  beforeAll(async () => {
    bench = await openOperationBench();
  });

  function planOf(sql: string): PlanStep[] {
    const names = [...sql.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => [name ?? "", null] as const);
    return bench.database.all<PlanStep>(`explain query plan ${sql}`, Object.fromEntries(names));
  }

  it.each(ALL)("%s reads by keys, and sorts no more than one run", (name, sql) => {
    const details = planOf(sql).map(({ detail }) => detail);
    const scans = details.filter((detail) => /^SCAN (?!wanted|CONSTANT)/.test(detail));
    expect(SCANS.has(name) ? [] : scans).toEqual([]);
    const sorts = details.filter((detail) => detail.includes("TEMP B-TREE") && !detail.includes("DISTINCT"));
    expect(SORTS.has(name) ? [] : sorts).toEqual([]);
  });

  it.each(INDEXES)("%s is served by its index", (_name, sql, uses) => {
    expect(planOf(sql).map(({ detail }) => detail)).toContain(uses);
  });
});
