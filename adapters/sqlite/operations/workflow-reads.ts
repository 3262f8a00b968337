import { inOrderShown } from "../../../src/core/workflow-ends.ts";
import type { WorkflowStatus } from "../../../src/core/workflow-status.ts";
import type { StepRow } from "../../../src/core/workflow-rows.ts";
import { LIST_CHILD_RUNS, LIST_RUNNABLE, LIST_RUNS } from "../sql/workflow-runs.ts";
import { LIST_STEPS, READ_STEP } from "../sql/workflow-steps.ts";
import { LIST_WAITS_OF_RUNS } from "../sql/workflow-waits.ts";
import type { Operation } from "./operation.ts";
import type { WatcherRow } from "./workflow-events.ts";
import type { RunRef, StoredRunState } from "./workflow-watch.ts";

export interface ListRunsArgs {
  readonly namespace: string;
  readonly workflow: string | null;
  readonly status: WorkflowStatus | null;
  readonly parentRunId: string | null;
  readonly limit: number;
  readonly offset: number;
}

/** In the order of their positions. */
export const listSteps: Operation<RunRef, StepRow[]> = {
  kind: "read",
  run: (scope, ref) => scope.sql.all<StepRow>(LIST_STEPS, { ...ref }),
};

/** JSON; null when there is no such checkpoint. */
export const readStep: Operation<RunRef & { readonly step: string }, string | null> = {
  kind: "read",
  run: (scope, ref) => scope.sql.get<{ value: string }>(READ_STEP, { ...ref })?.value ?? null,
};

/** Runs with their waits, in two queries whatever their number. */
export const listRuns: Operation<ListRunsArgs, StoredRunState[]> = {
  kind: "read",
  run(scope, args) {
    const sql = args.parentRunId === null ? LIST_RUNS : LIST_CHILD_RUNS;
    const runs = scope.sql.all<Omit<StoredRunState, "waits">>(sql, { ...args });
    const asleep = runs.filter(({ status }) => status === "suspended").map(({ runId }) => runId);
    const byRun = new Map<string, WatcherRow[]>(asleep.map((runId) => [runId, []]));
    const values = { namespace: args.namespace, runIds: JSON.stringify(asleep) };
    const waits = asleep.length === 0 ? [] : scope.sql.all<WatcherRow>(LIST_WAITS_OF_RUNS, values);
    for (const wait of waits) byRun.get(wait.runId)?.push(wait);
    return runs.map((run) => ({ ...run, waits: inOrderShown(byRun.get(run.runId) ?? []) }));
  },
};

/** Ids, earliest first. */
export const listRunnableRuns: Operation<
  Readonly<{ namespace: string; limit: number; offset: number }>,
  { readonly runId: string }[]
> = {
  kind: "read",
  run: (scope, args) => scope.sql.all<{ runId: string }>(LIST_RUNNABLE, { ...args, now: scope.now }),
};
