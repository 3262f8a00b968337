import { signal } from "@preact/signals";
import type { Worker } from "stem-sqlite";

/** What this tab's worker did in one second. */
export interface Sample {
  /** Seconds since 1970, as the charts want it. */
  readonly at: number;
  /** Per second, as the seconds of a busy page are longer than others. */
  readonly completed: number;
  /** Runs that failed, whether they are tried again or not. */
  readonly failed: number;
  /** From the moment a job could run to its start, in milliseconds; null without any start. */
  readonly medianWaitMs: number | null;
  readonly longestWaitMs: number | null;
}

/** Length of the charts, in seconds. */
const WINDOW = 60;
const SHORTEST = 0.5;

export const samples = signal<readonly Sample[]>([]);

let completed = 0;
let failed = 0;
let waits: number[] = [];
let closedAt = performance.now();

/** Counts what a worker tells, until it ends. */
export function sampleWorker(worker: Worker): void {
  worker.on("started", ({ envelope, at }) => {
    const ready = (envelope.notBefore ?? envelope.enqueuedAt).getTime();
    // What was replayed, or given back, waited from a moment that nobody stored.
    if (envelope.attempt === 0 || envelope.notBefore !== undefined) waits.push(Math.max(0, at.getTime() - ready));
  });
  worker.on("completed", () => void (completed += 1));
  worker.on("retried", () => void (failed += 1));
  worker.on("failed", () => void (failed += 1));
}

/** Closes a second every second. */
export function startSampling(): void {
  const first = Date.now() / 1_000 - WINDOW;
  samples.value = Array.from({ length: WINDOW }, (_, index) => emptySample(first + index));
  setInterval(closeSecond, 1_000);
}

function closeSecond(): void {
  const seconds = (performance.now() - closedAt) / 1_000;
  // Right after a long one comes a short one, which goes with the next.
  if (seconds < SHORTEST) return;
  closedAt = performance.now();
  waits.sort((one, other) => one - other);
  const sample: Sample = {
    at: Date.now() / 1_000,
    completed: Math.round(completed / seconds),
    failed: Math.round(failed / seconds),
    medianWaitMs: waits[Math.floor(waits.length / 2)] ?? null,
    longestWaitMs: waits.at(-1) ?? null,
  };
  completed = 0;
  failed = 0;
  waits = [];
  samples.value = [...samples.value.slice(1), sample];
}

function emptySample(at: number): Sample {
  return { at, completed: 0, failed: 0, medianWaitMs: null, longestWaitMs: null };
}
