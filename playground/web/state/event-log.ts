import { signal } from "@preact/signals";
import type { Worker, WorkerEvent } from "stem-sqlite";

/** One line of the log. */
export interface LogLine {
  readonly id: number;
  readonly at: Date;
  readonly type: WorkerEvent["type"];
  readonly text: string;
}

const KEPT = 50;
const SHOWN_EVERY_MS = 500;

/** Newest first. */
export const logLines = signal<readonly LogLine[]>([]);
export const isLogPaused = signal(false);

let lastId = 0;
let fresh: LogLine[] = [];

/** Progress of running jobs of this tab, by id, from 0 to 1. */
export const progress = signal<ReadonlyMap<string, number>>(new Map());
const running = new Map<string, number>();

/** Writes down what a worker tells, until it ends. */
export async function logWorker(worker: Worker): Promise<void> {
  for await (const event of worker.events) {
    followProgress(event);
    if (isLogPaused.value || event.type === "progress" || event.type === "heartbeat") continue;
    lastId += 1;
    fresh.push({ id: lastId, at: event.at, type: event.type, text: describe(event) });
    if (fresh.length > KEPT) fresh.shift();
  }
}

/** A burst of events is one change of the page. */
export function startLog(): void {
  setInterval(() => {
    progress.value = new Map(running);
    if (fresh.length === 0) return;
    logLines.value = [...fresh.toReversed(), ...logLines.value].slice(0, KEPT);
    fresh = [];
  }, SHOWN_EVERY_MS);
}

function followProgress(event: WorkerEvent): void {
  if (event.type === "progress") running.set(event.envelope.id, event.fraction);
  else if (event.type !== "started" && event.type !== "heartbeat" && "envelope" in event && event.envelope) {
    running.delete(event.envelope.id);
  }
}

function describe(event: WorkerEvent): string {
  const task = "envelope" in event && event.envelope !== undefined ? `${event.envelope.name} ` : "";
  if (event.type === "retried") return `${task}attempt ${event.envelope.attempt}: ${event.error.message}`;
  if (event.type === "failed") return `${task}for good: ${event.error.message}`;
  if (event.type === "timeout") return `${task}${event.level} limit of ${event.limitMs} ms`;
  if (event.type === "revoked") return `${task}${event.reason ?? ""}`;
  if (event.type === "queue-paused" || event.type === "queue-resumed") return `queue ${event.queue}`;
  if (event.type === "broadcast-gap") return `${event.missed} broadcasts missed`;
  if (event.type === "error") return `${task}during ${event.during}: ${String(event.error)}`;
  if (event.type === "dropped") return `${event.count} events are not shown`;
  return task;
}
