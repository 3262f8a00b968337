import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const FOLDER = resolve(import.meta.dirname, "../../.test-results");

/** What times were measured, in milliseconds. */
export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The percentiles of times in microseconds; with few of them p99 is the greatest. */
export function figuresOf(times: readonly number[]): Figures {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) / 100) / 10;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Prints figures, and writes them to `.test-results/<name>.json`. None of them is a verdict. */
export function reportFigures(name: string, figures: Readonly<Record<string, Figures>>): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(resolve(FOLDER, `${name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
  for (const [what, { count, p50, p99, max }] of Object.entries(figures)) {
    console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (${count} times)`);
  }
}
