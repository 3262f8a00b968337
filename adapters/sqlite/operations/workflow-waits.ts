import type { EncodedWait } from "../../../src/core/workflow-checks.ts";
import {
  checkpointOf,
  childEnding,
  type EndedWait,
  eventEnding,
  overAt,
  tasksEnding,
  waitsOver,
} from "../../../src/core/workflow-ends.ts";
import type { StepRow } from "../../../src/core/workflow-rows.ts";
import { NEXT_EVENT, PUT_HEARD } from "../sql/workflow-events.ts";
import { PUT_STEP } from "../sql/workflow-steps.ts";
import { COUNT_TASK_ENDS, DELETE_TASK_ENDS, DELETE_WAIT, LIST_TASK_ENDS, PUT_WAIT } from "../sql/workflow-waits.ts";
import type { ChangedRun, RunChanges } from "./workflow-run-changes.ts";

/** A wait as it is stored. */
export interface StoredWait extends EndedWait {
  readonly sequence: number;
}

interface FoundEvent {
  readonly sequence: number;
  readonly emittedAt: number;
  readonly payload: string;
}

/** Stores a checkpoint; one that is there already keeps its place. */
export function putStep({ scope, place }: RunChanges, runId: string, step: StepRow, position: number): void {
  scope.sql.run(PUT_STEP, { ...step, namespace: place.namespace, runId, position });
}

/** A wait whose step has its checkpoint is over. */
export function dropWait({ scope, place }: RunChanges, runId: string, step: string): void {
  scope.sql.run(DELETE_WAIT, { namespace: place.namespace, runId, step });
}

/** Makes checkpoints of the waits that are over; returns those that are left. */
export function resolveWaits(changes: RunChanges, run: ChangedRun): StoredWait[] {
  const waits = changes.waitsOf(run);
  const over = waitsOver(waits, changes.now);
  for (const wait of over) {
    putStep(changes, run.runId, checkpointOf(wait), run.nextPosition);
    dropWait(changes, run.runId, wait.step);
    changes.change(run, { nextPosition: run.nextPosition + 1 });
    if (wait.kind === "tasks") dropTaskEnds(changes, run, wait);
  }
  const left = new Set(waits);
  for (const wait of over) left.delete(wait);
  return [...left];
}

/** Adds waits to a run that is being suspended. Returns all it has, and whether it has to go on at once. */
export function addWaits(
  changes: RunChanges,
  run: ChangedRun,
  waits: readonly EncodedWait[],
): Readonly<{ all: readonly StoredWait[]; isOver: boolean }> {
  const all = new Map(changes.waitsOf(run).map((wait) => [wait.step, wait]));
  let isKnown = false;
  for (const wait of waits) {
    const stored = all.get(wait.step);
    if (stored !== undefined && stored.kind !== "retry") continue;
    const sequence = changes.scope.nextToken();
    const ref = { namespace: changes.place.namespace, runId: run.runId };
    const isStored = changes.scope.sql.run(PUT_WAIT, { ...ref, ...wait, sequence, now: changes.now }) > 0;
    isKnown ||= !isStored;
    all.delete(wait.step);
    if (isStored) all.set(wait.step, { ...wait, createdAt: changes.now, ending: null, endedAt: null, sequence });
  }
  findEvents(changes, run, all);
  for (const wait of [...all.values()]) findEnd(changes, run, all, wait);
  const found = [...all.values()];
  return { all: found, isOver: isKnown || found.length === 0 || found.some((wait) => overAt(wait) <= changes.now) };
}

/** Ends a wait for tasks when all have ended before its deadline. Returns how. */
export function endTasks(changes: RunChanges, run: ChangedRun, wait: StoredWait): string | undefined {
  const { sql } = changes.scope;
  const expected = wait.expected ?? 0;
  const ref = { namespace: changes.place.namespace, runId: run.runId, step: wait.step, expected };
  const ended = sql.get<{ count: number }>(COUNT_TASK_ENDS, { ...ref, deadline: wait.resumeAt })?.count ?? 0;
  if (ended < expected) return undefined;
  const ends = sql.all<{ ending: string }>(LIST_TASK_ENDS, ref);
  const ending = tasksEnding(ends.map((end) => end.ending));
  changes.endWait(run.runId, wait, ending);
  return ending;
}

type Waits = Map<string, StoredWait>;

/** The first event of each topic that the run has not had ends its waits for that topic. */
function findEvents(changes: RunChanges, run: ChangedRun, all: Waits): void {
  const waits = [...all.values()].filter(({ kind, endedAt }) => kind === "event" && endedAt === null);
  for (const topic of new Set(waits.map((wait) => wait.topic ?? ""))) {
    const { sql } = changes.scope;
    const ref = { namespace: changes.place.namespace, runId: run.runId, topic };
    const event = sql.get<FoundEvent>(NEXT_EVENT, { ...ref, created: run.sequence, now: changes.now });
    if (event === undefined) continue;
    const inTime = waits.filter(
      (wait) => wait.topic === topic && (wait.resumeAt ?? Number.POSITIVE_INFINITY) > event.emittedAt,
    );
    for (const wait of inTime) markEnded(changes, run, all, wait, eventEnding(event.payload));
    if (inTime.length > 0) sql.run(PUT_HEARD, { ...ref, sequence: event.sequence });
  }
}

/** Ends a wait for a run or for tasks that have ended before. */
function findEnd(changes: RunChanges, run: ChangedRun, all: Waits, wait: StoredWait): void {
  if (wait.endedAt !== null) return;
  if (wait.kind === "tasks") {
    const ending = endTasks(changes, run, wait);
    if (ending !== undefined) all.set(wait.step, { ...wait, ending, endedAt: changes.now });
  }
  const child = wait.kind === "child" ? changes.find(wait.topic ?? "") : undefined;
  if (child === undefined || child.endedAt === null) return;
  if (child.endedAt >= (wait.resumeAt ?? Number.POSITIVE_INFINITY)) return;
  markEnded(changes, run, all, wait, childEnding(child));
}

function markEnded(changes: RunChanges, run: ChangedRun, all: Waits, wait: StoredWait, ending: string): void {
  changes.endWait(run.runId, wait, ending);
  all.set(wait.step, { ...wait, ending, endedAt: changes.now });
}

function dropTaskEnds({ scope, place }: RunChanges, { runId }: ChangedRun, { step }: StoredWait): void {
  scope.sql.run(DELETE_TASK_ENDS, { namespace: place.namespace, runId, step });
}
