import { inOrderShown } from "../../../src/core/workflow-ends.ts";
import type { RunRow, WaitRow } from "../../../src/core/workflow-rows.ts";
import { GET_RUN } from "../sql/workflow-runs.ts";
import { LIST_WAITS } from "../sql/workflow-waits.ts";
import type { Operation, OperationScope } from "./operation.ts";
import type { StoredWait } from "./workflow-waits.ts";

/** One run of one namespace. */
export interface RunRef {
  readonly namespace: string;
  readonly runId: string;
}

/** A run as it is stored, told to watchers and sent to a member. */
export interface StoredRunState extends RunRow {
  readonly cursor: number;
  /** What it waits for, in the order in which that is shown. */
  readonly waits: readonly WaitRow[];
}

export const getRun: Operation<RunRef, StoredRunState | null> = {
  kind: "read",
  run: (scope, ref) => findState(scope, ref),
};

/** Returns the present state and pushes each later one, as `watchStatus` does. */
export const watchRun: Operation<RunRef & { readonly subscription: number }, StoredRunState | null> = {
  kind: "read",
  run(scope, { subscription, namespace, runId }) {
    const topic = runTopic(namespace, runId);
    // What is changed later in this transaction has to be read then, for a watch that begins after the commit.
    scope.events.expectWatch(topic);
    scope.afterCommit(() => scope.events.watch({ member: scope.member.id, subscription }, topic));
    return findState(scope, { namespace, runId });
  },
};

/** Tells who watches a run of its state as it is now; read only for somebody. */
export function signalRun(scope: OperationScope, namespace: string, runId: string): void {
  const topic = runTopic(namespace, runId);
  if (!scope.events.isWatched(topic)) return;
  const state = findState(scope, { namespace, runId });
  if (state !== null) scope.afterCommit(() => scope.events.signal(topic, state));
}

/** What a watch of this topic would be told now; `undefined` for other topics and for a run that is not there. */
export function readRunTopic(scope: Pick<OperationScope, "sql">, topic: string): StoredRunState | undefined {
  const [kind, namespace, runId] = topic.split("\n");
  if (kind !== "run" || namespace === undefined || runId === undefined) return undefined;
  return findState(scope, { namespace, runId }) ?? undefined;
}

export function findState(scope: Pick<OperationScope, "sql">, ref: RunRef): StoredRunState | null {
  const run = scope.sql.get<Omit<StoredRunState, "waits">>(GET_RUN, { ...ref });
  if (run === undefined) return null;
  const waits = run.status === "suspended" ? scope.sql.all<StoredWait>(LIST_WAITS, { ...ref }) : [];
  return { ...run, waits: inOrderShown(waits) };
}

/** A line feed is in no name: namespace and id cannot run into each other. */
function runTopic(namespace: string, runId: string): string {
  return `run\n${namespace}\n${runId}`;
}
