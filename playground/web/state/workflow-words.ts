import type { WaitEnd, WorkflowStepEntry, WorkflowWait } from "stem-sqlite";
import { formatJson, formatMs, shortId } from "./format.ts";

/** What a checkpoint has come to. */
export function describeCheckpoint({ kind, value, error, name }: WorkflowStepEntry): string {
  if (error !== undefined) return `${error.type}: ${error.message}`;
  const isWait = kind === "sleep" || kind === "event" || kind === "tasks" || (kind === "child" && !isInner(name));
  return isWait ? describeEnd(value as unknown as WaitEnd) : formatJson(value);
}

function describeEnd(end: WaitEnd): string {
  if (end.outcome === "due") return "the time is over";
  if (end.outcome === "deadline") return "the deadline has passed";
  if (end.outcome === "event") return `event: ${formatJson(end.payload)}`;
  if (end.outcome === "child") {
    return `${end.status}${end.error === undefined ? "" : `, ${end.error.type}: ${end.error.message}`}${
      end.result === undefined ? "" : `: ${formatJson(end.result)}`
    }`;
  }
  const failed = end.ends.filter(({ error }) => error !== undefined).length;
  return `${end.ends.length} tasks have ended, ${failed} of them failed`;
}

/** What a run waits for, and how much longer. */
export function describeWait({ kind, topic, resumeAt, expected, error }: WorkflowWait, now: number): string {
  const left = resumeAt === undefined ? undefined : formatMs(Math.max(0, resumeAt.getTime() - now));
  if (kind === "sleep") return `goes on in ${left}`;
  if (kind === "retry") return `${error?.type}: ${error?.message}; tried again in ${left}`;
  const until = left === undefined ? "" : `; gives up in ${left}`;
  if (kind === "event") return `waits for an event of ${topic}${until}`;
  if (kind === "child") return `waits for run ${shortId(topic ?? "")}${until}`;
  return `waits for ${expected} tasks${until}`;
}

/** Whether it belongs to a step instead of being one. */
function isInner(name: string): boolean {
  return name.includes("/");
}

/** The run that a checkpoint says it has started. */
export function startedChild({ kind, value, name }: WorkflowStepEntry): string | undefined {
  if (kind !== "child" || !isInner(name)) return undefined;
  const { runId } = value as { readonly runId?: unknown };
  return typeof runId === "string" ? runId : undefined;
}

/** Steps, and waits between them, can be rewound to; what belongs to one of them, or undoes it, cannot. */
export function isRewindable({ name }: WorkflowStepEntry): boolean {
  return !isInner(name);
}
