import { beforeAll, describe, expect, it } from "vitest";
import {
  DELETE_GROUP_RESULTS,
  GET_GROUP,
  LIST_GROUP_RESULTS,
  PUT_GROUP_RESULT,
  SELECT_EXPIRED_GROUPS,
} from "../../../../adapters/sqlite/sql/groups.ts";
import { GET_HEARTBEAT, LIST_HEARTBEATS, SWEEP_HEARTBEATS } from "../../../../adapters/sqlite/sql/heartbeats.ts";
import { GET_REVOCATION, LIST_REVOCATIONS, PRUNE_REVOCATIONS } from "../../../../adapters/sqlite/sql/revocations.ts";
import {
  EXPIRE_STATUS,
  GET_STATUS,
  LIST_STATUSES,
  SWEEP_STATUSES,
} from "../../../../adapters/sqlite/sql/task-results.ts";
import { type OperationBench, openOperationBench } from "../operation-bench.ts";

interface PlanStep {
  readonly parent: number;
  readonly detail: string;
}

const PLANS: readonly (readonly [name: string, sql: string, uses: string])[] = [
  ["GET_STATUS", GET_STATUS, "SEARCH task_results USING PRIMARY KEY (namespace=? AND id=?)"],
  ["EXPIRE_STATUS", EXPIRE_STATUS, "SEARCH task_results USING PRIMARY KEY (namespace=? AND id=?)"],
  ["LIST_STATUSES", LIST_STATUSES, "SEARCH task_results USING INDEX task_results_for_list (namespace=?)"],
  ["SWEEP_STATUSES", SWEEP_STATUSES, "SEARCH task_results USING COVERING INDEX task_results_for_expiry (expires_at<?)"],
  ["SWEEP_STATUSES", SWEEP_STATUSES, "SEARCH task_results USING PRIMARY KEY (namespace=? AND id=?)"],
  ["GET_GROUP", GET_GROUP, "SEARCH task_groups USING PRIMARY KEY (namespace=? AND id=?)"],
  ["PUT_GROUP_RESULT", PUT_GROUP_RESULT, "SEARCH task_groups USING PRIMARY KEY (namespace=? AND id=?)"],
  [
    "DELETE_GROUP_RESULTS",
    DELETE_GROUP_RESULTS,
    "SEARCH task_group_results USING PRIMARY KEY (namespace=? AND group_id=? AND task_id=?)",
  ],
  [
    "SELECT_EXPIRED_GROUPS",
    SELECT_EXPIRED_GROUPS,
    "SEARCH task_groups USING COVERING INDEX task_groups_for_expiry (expires_at<?)",
  ],
  ["GET_HEARTBEAT", GET_HEARTBEAT, "SEARCH worker_heartbeats USING PRIMARY KEY (namespace=? AND worker_id=?)"],
  ["LIST_HEARTBEATS", LIST_HEARTBEATS, "SEARCH worker_heartbeats USING PRIMARY KEY (namespace=?)"],
  [
    "SWEEP_HEARTBEATS",
    SWEEP_HEARTBEATS,
    "SEARCH worker_heartbeats USING COVERING INDEX worker_heartbeats_for_expiry (expires_at<?)",
  ],
  ["GET_REVOCATION", GET_REVOCATION, "SEARCH revocations USING PRIMARY KEY (namespace=? AND task_id=?)"],
  ["LIST_REVOCATIONS", LIST_REVOCATIONS, "SEARCH revocations USING INDEX revocations_for_list (namespace=?)"],
  ["PRUNE_REVOCATIONS", PRUNE_REVOCATIONS, "SEARCH revocations USING PRIMARY KEY (namespace=?)"],
];

describe("query plans of results and revocations", () => {
  let bench: OperationBench;

  beforeAll(async () => {
    bench = await openOperationBench();
  });

  function planOf(sql: string): PlanStep[] {
    const names = [...sql.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => [name ?? "", null] as const);
    return bench.database.all<PlanStep>(`explain query plan ${sql}`, Object.fromEntries(names));
  }

  it.each(PLANS)("%s is served by its key, without a scan of the table or a sort", (_name, sql, uses) => {
    const plan = planOf(sql);
    expect(plan.map(({ detail }) => detail)).toContain(uses);
    // The meta filter goes through the JSON of one row, and compares two objects by sorting their leaves.
    const scans = plan.filter(({ detail }) => /^SCAN (?!wanted|stored|json_tree)/.test(detail));
    expect(scans).toEqual([]);
    const sorts = plan.filter(({ parent, detail }) => parent === 0 && detail.includes("TEMP B-TREE"));
    expect(sorts).toEqual([]);
  });

  it("LIST_GROUP_RESULTS reads one group by key and sorts no more than that", () => {
    expect(planOf(LIST_GROUP_RESULTS).map(({ detail }) => detail)).toEqual([
      "SEARCH task_group_results USING PRIMARY KEY (namespace=? AND group_id=?)",
      "USE TEMP B-TREE FOR ORDER BY",
    ]);
  });
});
