import type { CheckpointKind } from "./workflow-model.ts";
import type { RunRow, StepRow, WaitRow } from "./workflow-rows.ts";

/** A wait with how it has ended, if it has: the inner text of a `WaitEnd`, and when. */
export interface EndedWait extends WaitRow {
  readonly ending: string | null;
  readonly endedAt: number | null;
}

/** How a wait ends by an event. */
export function eventEnding(payload: string): string {
  return `"outcome":"event","payload":${payload}`;
}

/** How a wait ends by the end of the run it waits for. */
export function childEnding({ status, result, lastError }: Pick<RunRow, "status" | "result" | "lastError">): string {
  const parts = [`"outcome":"child","status":"${status}"`];
  if (result !== null) parts.push(`"result":${result}`);
  if (lastError !== null) parts.push(`"error":${lastError}`);
  return parts.join(",");
}

/** How a wait ends by the ends of all its tasks, in the order of their indices. */
export function tasksEnding(ends: readonly string[]): string {
  return `"outcome":"tasks","ends":[${ends.join(",")}]`;
}

/** When a wait is over, by its end or by time; infinite for one that only something else can end. */
export function overAt({ endedAt, resumeAt }: Pick<EndedWait, "endedAt" | "resumeAt">): number {
  return endedAt ?? resumeAt ?? Number.POSITIVE_INFINITY;
}

/**
 * The waits that become checkpoints at `now`, in the order of their ends; `waits` come in that in which they were stored.
 * A retry becomes none.
 */
export function waitsOver<Wait extends EndedWait>(waits: readonly Wait[], now: number): Wait[] {
  return waits
    .filter((wait) => wait.kind !== "retry" && overAt(wait) <= now)
    .sort((one, other) => overAt(one) - overAt(other));
}

/** In the order in which waits are shown: earliest `resumeAt` first, those without one last. */
export function inOrderShown<Wait extends EndedWait>(waits: readonly Wait[]): Wait[] {
  const resumeAt = (wait: Wait): number => wait.resumeAt ?? Number.MAX_SAFE_INTEGER;
  return waits.filter(({ ending }) => ending === null).sort((one, other) => resumeAt(one) - resumeAt(other));
}

/** The checkpoint that a wait becomes which is over. */
export function checkpointOf(wait: EndedWait): StepRow {
  const [baseName = "", iteration] = wait.step.split("#");
  const ending = wait.ending ?? (wait.kind === "sleep" ? `"outcome":"due"` : `"outcome":"deadline"`);
  return {
    name: wait.step,
    baseName,
    iteration: iteration === undefined ? null : Number(iteration),
    kind: wait.kind as CheckpointKind,
    value: `{${ending}${wait.data === null ? "" : `,"data":${wait.data}`}}`,
    error: null,
    attempts: 1,
    startedAt: wait.createdAt,
    endedAt: overAt(wait),
  };
}

/** What the names of checkpoints inside of a step, or of one iteration of it, begin with. */
export function innerPrefixOf(step: string): string {
  const [, baseName = step, iteration] = /^(.*)#(\d+)$/.exec(step) ?? [];
  return iteration === undefined ? `${step}/` : `${baseName}//${iteration}/`;
}

const COMPENSATION = "/compensation";

/** The checkpoint that a compensation of this name has undone; `undefined` for a name that no compensation has. */
export function undoneBy(name: string): string | undefined {
  if (!name.endsWith(COMPENSATION)) return undefined;
  return name.slice(0, -COMPENSATION.length).replace(/\/\/(\d+)$/, "#$1");
}

/** The step that a run has failed by, as its error names it. */
export function failedStepOf(lastError: string | null): string | undefined {
  if (lastError === null) return undefined;
  const { meta } = JSON.parse(lastError) as { readonly meta?: Readonly<Record<string, unknown>> };
  const step = meta?.["failedStep"];
  return typeof step === "string" ? step : undefined;
}

/**
 * Which checkpoints go when a failed run is resumed: those of the failure and of compensations, of the step that it
 * failed by, and, where steps were undone, all from the first of these on. `wasUndone` says whether there were any.
 */
export function droppedAtResume<Step extends Pick<StepRow, "name" | "kind" | "error">>(
  steps: readonly Step[],
  lastError: string | null,
): Readonly<{ dropped: readonly Step[]; wasUndone: boolean }> {
  const undone = new Set(
    steps.flatMap(({ name, kind, error }) => (kind === "compensation" && error === null ? (undoneBy(name) ?? []) : [])),
  );
  const first = steps.findIndex(({ name }) => undone.has(name));
  const failed = failedStepOf(lastError);
  const inner = failed === undefined ? undefined : innerPrefixOf(failed);
  const isOfFailure = ({ name, kind }: Step): boolean =>
    kind === "failure" || kind === "compensation" || name === failed || (inner !== undefined && name.startsWith(inner));
  const dropped = steps.filter((step, index) => (first !== -1 && index >= first) || isOfFailure(step));
  return { dropped, wasUndone: first !== -1 };
}
