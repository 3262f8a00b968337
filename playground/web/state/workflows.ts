import { computed, effect, signal } from "@preact/signals";
import { hasRunEnded, type RunDetail, type RunPage, type RunState, type WorkflowStatus } from "stem-sqlite";
import { ROWS } from "./live.ts";
import { describeError, notify } from "./notices.ts";
import { poll, type Reading } from "./polling.ts";
import { APPROVAL_TOPIC } from "./sample-workflows.ts";
import { currentSession, type Session, session } from "./session.ts";

/** Which runs are listed; all of them without a status. */
export const runStatus = signal<WorkflowStatus | undefined>(undefined);

/** The run whose timeline is shown. */
export const selectedRun = signal<string | undefined>(undefined);

/** Runs that changed last. The newest one is shown until another is chosen. */
export const runs: Reading<RunPage> = poll(500, async ({ workflows }) => {
  const status = runStatus.peek();
  const page = await workflows.listRunViews({ limit: ROWS, ...(status === undefined ? {} : { status }) });
  const sorted = page.runs.toSorted(newestFirst);
  if (selectedRun.peek() === undefined) selectedRun.value = sorted[0]?.runId;
  return { ...page, runs: sorted };
});

/** The run that is shown, with its checkpoints. */
export const runDetail: Reading<RunDetail | undefined> = poll(500, async ({ workflows }) => {
  const runId = selectedRun.peek();
  if (runId === undefined) return undefined;
  const detail = await workflows.viewRunDetail(runId);
  // What was deleted, or is not in a database that was imported, is shown no more.
  if (detail === null && selectedRun.peek() === runId) selectedRun.value = undefined;
  return detail ?? undefined;
});

export const eventTopic = signal(APPROVAL_TOPIC);
export const eventPayload = signal('{ "approved": true, "by": "ada" }');

export function selectRun(runId: string): void {
  selectedRun.value = runId;
  runDetail.refresh();
}

/** Wakes the runs that wait for the topic. */
export async function emitEvent(): Promise<string> {
  const topic = eventTopic.peek();
  const { resolutions } = await currentSession().workflows.emit(topic, JSON.parse(eventPayload.peek()));
  const woken = new Set(resolutions.map(({ runId }) => runId)).size;
  return woken === 0 ? `Emitted ${topic}; no run waits for it` : `Emitted ${topic}; woke ${woken} of the runs`;
}

/** Runs that exist at one moment are told apart by their ids, which rise with time. */
function newestFirst(one: RunState, other: RunState): number {
  return other.createdAt.getTime() - one.createdAt.getTime() || (one.runId < other.runId ? 1 : -1);
}

const isUnderWay = computed(() => {
  const run = runDetail.value.value?.run;
  return run !== undefined && run.runId === selectedRun.value && !hasRunEnded(run.status);
});

const awaitedTopic = computed(() => runDetail.value.value?.run.waits.find(({ kind }) => kind === "event")?.topic);

effect(() => {
  if (awaitedTopic.value !== undefined) eventTopic.value = awaitedTopic.value;
});

/** The run that is shown is read at each of its changes, not only when the time for reading has come. */
effect(() => {
  const [open, runId] = [session.value, selectedRun.value];
  if (open === undefined || runId === undefined || !isUnderWay.value) return undefined;
  const states = open.workflowStore.watch(runId);
  void follow(states, open);
  return () => void states.return?.();
});

async function follow(states: AsyncIterable<RunState>, open: Session): Promise<void> {
  try {
    for await (const _ of states) runDetail.refresh();
  } catch (error) {
    if (session.peek() === open) notify("error", describeError(error));
  }
}
