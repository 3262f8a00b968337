import type { EncodedTaskEnd, EncodedWait } from "../../src/core/workflow-checks.ts";
import {
  checkpointOf,
  eventEnding,
  childEnding,
  overAt,
  tasksEnding,
  waitsOver,
} from "../../src/core/workflow-ends.ts";
import type { StepRow } from "../../src/core/workflow-rows.ts";
import type { EmitReceipt, WorkflowWatcherResolution } from "../../src/contracts/workflow-store.ts";
import { hasRunEnded } from "../../src/core/workflow-status.ts";
import type { WorkflowChanges } from "./in-memory-workflow-changes.ts";
import type { StoredEvent, StoredRun, StoredWait } from "./in-memory-workflow-data.ts";

/** Stores a checkpoint; one that is there already keeps its place. A wait of its name is over. */
export function putStep(run: StoredRun, step: StepRow): void {
  run.steps.set(step.name, step);
  run.waits.delete(step.name);
  run.taskEnds.delete(step.name);
}

/** Makes checkpoints of the waits that are over. */
export function resolveWaits(changes: WorkflowChanges, run: StoredRun): void {
  for (const wait of waitsOver([...run.waits.values()], changes.now)) putStep(run, checkpointOf(wait));
}

/** Adds waits to a run that is being suspended. Returns whether it has to go on at once. */
export function addWaits(changes: WorkflowChanges, run: StoredRun, waits: readonly EncodedWait[]): boolean {
  let isKnown = false;
  for (const wait of waits) {
    const stored = run.waits.get(wait.step);
    if (run.steps.has(wait.step)) isKnown = true;
    else if (stored === undefined || stored.kind === "retry") {
      run.waits.delete(wait.step);
      const sequence = changes.space.next();
      run.waits.set(wait.step, { ...wait, createdAt: changes.now, ending: null, endedAt: null, sequence });
    }
  }
  findEvents(changes, run);
  findEnds(changes, run);
  const all = [...run.waits.values()];
  return isKnown || all.length === 0 || all.some((wait) => overAt(wait) <= changes.now);
}

/** Emits an event: ends the waits for it and, unless it is kept no time at all, keeps it. */
export function emitEvent(
  changes: WorkflowChanges,
  topic: string,
  event: Readonly<{ id: string | undefined; payload: string; ttl: number }>,
): EmitReceipt {
  const { space, now } = changes;
  const kept = (space.events.get(topic) ?? []).filter(({ expiresAt }) => expiresAt > now);
  if (event.id !== undefined && kept.some(({ id }) => id === event.id))
    return { outcome: "duplicate", resolutions: [] };
  const sequence = space.next();
  const { id, payload, ttl } = event;
  if (ttl > 0) kept.push({ sequence, id, payload, emittedAt: now, expiresAt: now + ttl });
  space.events.set(topic, kept);
  const resolutions: WorkflowWatcherResolution[] = [];
  const woken = new Set<StoredRun>();
  const cancelled = new Set<StoredRun>();
  for (const [run, wait] of changes.waitsFor("event", topic)) {
    if (!woken.has(run) && !cancelled.has(run) && changes.cancelByPolicy(run)) cancelled.add(run);
    if (hasRunEnded(run.row.status)) continue;
    woken.add(run);
    changes.endWait(run, wait, eventEnding(payload));
    resolutions.push({ runId: run.row.runId, stepName: wait.step, topic });
  }
  for (const run of woken) {
    run.heard.set(topic, sequence);
    changes.wake(run);
  }
  return { outcome: "emitted", resolutions };
}

/** Records how a task ended; ends the wait for it when it was the last one. */
export function putTaskEnd(changes: WorkflowChanges, { runId, step, index, end }: EncodedTaskEnd): void {
  const run = changes.space.runs.get(runId);
  if (run === undefined || hasRunEnded(run.row.status) || run.steps.has(step)) return;
  const wait = run.waits.get(step);
  if (wait !== undefined && wait.endedAt !== null) return;
  const ends = run.taskEnds.get(step) ?? new Map();
  if (ends.has(index)) return;
  run.taskEnds.set(step, ends.set(index, { end, endedAt: changes.now }));
  if (wait !== undefined && overAt(wait) > changes.now && endTasks(changes, run, wait)) changes.wake(run);
}

/** The first event of each topic that the run has not had ends its waits for that topic. */
function findEvents(changes: WorkflowChanges, run: StoredRun): void {
  const waits = [...run.waits.values()].filter(({ kind, endedAt }) => kind === "event" && endedAt === null);
  for (const topic of new Set(waits.map((wait) => wait.topic ?? ""))) {
    const last = run.heard.get(topic) ?? run.sequence;
    const isNew = (event: StoredEvent): boolean => event.sequence > last && event.expiresAt > changes.now;
    const event = changes.space.events.get(topic)?.find(isNew);
    if (event === undefined) continue;
    for (const wait of waits) {
      if (wait.topic !== topic || (wait.resumeAt ?? Number.POSITIVE_INFINITY) <= event.emittedAt) continue;
      changes.endWait(run, wait, eventEnding(event.payload));
      run.heard.set(topic, event.sequence);
    }
  }
}

/** Ends waits for runs and tasks that have ended before. */
function findEnds(changes: WorkflowChanges, run: StoredRun): void {
  for (const wait of run.waits.values()) {
    if (wait.endedAt !== null) continue;
    const deadline = wait.resumeAt ?? Number.POSITIVE_INFINITY;
    if (wait.kind === "tasks") endTasks(changes, run, wait);
    const child = wait.kind === "child" ? changes.space.runs.get(wait.topic ?? "")?.row : undefined;
    if (child === undefined || child.endedAt === null || child.endedAt >= deadline) continue;
    changes.endWait(run, wait, childEnding(child));
  }
}

/** Ends a wait for tasks when all have ended before its deadline. */
function endTasks(changes: WorkflowChanges, run: StoredRun, wait: StoredWait): boolean {
  const expected = wait.expected ?? 0;
  const deadline = wait.resumeAt ?? Number.POSITIVE_INFINITY;
  const ends = [...(run.taskEnds.get(wait.step) ?? [])]
    .filter(([index, { endedAt }]) => index < expected && endedAt < deadline)
    .sort(([one], [other]) => one - other);
  if (ends.length < expected) return false;
  changes.endWait(run, wait, tasksEnding(ends.map(([, { end }]) => end)));
  return true;
}
