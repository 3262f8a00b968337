import type { EncodedTaskEnd } from "../../../src/core/workflow-checks.ts";
import { eventEnding, overAt } from "../../../src/core/workflow-ends.ts";
import { FIND_EVENT, INSERT_EVENT, PUT_HEARD } from "../sql/workflow-events.ts";
import { HAS_STEP } from "../sql/workflow-steps.ts";
import { FIND_WAIT, LIST_WAITING_RUNS, LIST_WATCHERS, PUT_TASK_END } from "../sql/workflow-waits.ts";
import type { Operation } from "./operation.ts";
import { type ChangedRun, RunChanges, type WorkflowPlace } from "./workflow-run-changes.ts";
import { endTasks, type StoredWait } from "./workflow-waits.ts";

export interface EmitEventArgs extends WorkflowPlace {
  readonly topic: string;
  readonly payload: string;
  readonly eventId: string | null;
  readonly ttl: number;
}

/** A run and the step that an event has woken. */
export interface StoredResolution {
  readonly runId: string;
  readonly stepName: string;
}

/** A wait of some run. */
export type WatcherRow = StoredWait & { readonly runId: string };

export interface ListWatchersArgs {
  readonly namespace: string;
  readonly topic: string;
  readonly limit: number;
  readonly offset: number;
}

/** Ends the waits for a topic and keeps the event; null, and no effect, when an event of its id is kept already. */
export const emitEvent: Operation<EmitEventArgs, StoredResolution[] | null> = {
  kind: "steps",
  run(scope, { topic, payload, eventId, ttl, ...place }) {
    const { namespace } = place;
    const event = { namespace, topic, eventId, now: scope.now };
    if (eventId !== null && scope.sql.get(FIND_EVENT, event) !== undefined) return null;
    const sequence = scope.nextToken();
    const expiresAt = scope.now + ttl;
    if (ttl > 0) scope.sql.run(INSERT_EVENT, { ...event, sequence, payload, expiresAt });
    const changes = new RunChanges(scope, place);
    const woken = new Set<ChangedRun>();
    const resolutions: StoredResolution[] = [];
    for (const wait of changes.waitsFor("event", topic)) {
      const run = changes.find(wait.runId);
      if (run === undefined || run.endedAt !== null) continue;
      if (!woken.has(run) && changes.cancelByPolicy(run)) continue;
      woken.add(run);
      changes.endWait(run.runId, wait, eventEnding(payload));
      resolutions.push({ runId: run.runId, stepName: wait.step });
    }
    for (const { runId } of woken) {
      scope.sql.run(PUT_HEARD, { namespace, runId, topic, sequence });
      changes.wake(runId);
    }
    changes.save();
    return resolutions;
  },
};

/** Records how a task ended, once; the last one that a wait expects ends the wait. */
export const recordTaskEnd: Operation<WorkflowPlace & { readonly end: EncodedTaskEnd }, void> = {
  kind: "steps",
  run(scope, { end: { runId, step, index, end: ending }, ...place }) {
    const changes = new RunChanges(scope, place);
    const run = changes.find(runId);
    const ref = { namespace: place.namespace, runId, step };
    if (run === undefined || run.endedAt !== null || scope.sql.get(HAS_STEP, ref) !== undefined) return;
    const wait = scope.sql.get<StoredWait>(FIND_WAIT, ref);
    if (wait !== undefined && wait.endedAt !== null) return;
    if (scope.sql.run(PUT_TASK_END, { ...ref, index, ending, now: scope.now }) === 0) return;
    if (wait === undefined || overAt(wait) <= scope.now || endTasks(changes, run, wait) === undefined) return;
    changes.wake(runId);
    changes.save();
  },
};

/** The waits for events of a topic, earliest first. */
export const listWatchers: Operation<ListWatchersArgs, WatcherRow[]> = {
  kind: "read",
  run: (scope, args) => scope.sql.all<WatcherRow>(LIST_WATCHERS, { ...args, kind: "event", now: scope.now }),
};

/** The runs that wait for an event of a topic, earliest first. */
export const listWaitingRuns: Operation<
  Readonly<{ namespace: string; topic: string; limit: number }>,
  { readonly runId: string }[]
> = {
  kind: "read",
  run: (scope, args) => scope.sql.all<{ runId: string }>(LIST_WAITING_RUNS, { ...args, now: scope.now }),
};
