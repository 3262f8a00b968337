import { checkBroadcasts } from "./check-broadcasts.ts";
import { checkDeliveries } from "./check-deliveries.ts";
import { checkEnds } from "./check-ends.ts";
import { checkLeases } from "./check-leases.ts";
import { checkTokens } from "./check-tokens.ts";
import { checkTotalQueue } from "./check-total-queue.ts";
import type { QueueEnd, QueueRecord, Violation } from "./history-record.ts";
import { type Job, jobsOf } from "./jobs-of.ts";

/** Counts for a report; none of them is a verdict. */
export interface HistoryTotals {
  readonly processes: number;
  readonly published: number;
  /** Nobody saw their publish answered, and they were delivered. */
  readonly recovered: number;
  readonly grants: number;
  /** Delivered more than once, as at-least-once delivery allows. */
  readonly duplicated: number;
  readonly acked: number;
  readonly dead: number;
  readonly refused: number;
  readonly unknown: number;
  readonly heard: number;
  readonly missed: number;
}

/** The verdict on a history. */
export interface HistoryVerdict {
  readonly violations: readonly Violation[];
  readonly totals: HistoryTotals;
}

/**
 * Checks the joint history of several processes, drained at its end, against the invariants of a queue. Knows nothing
 * of any broker, and calls only that a violation which no order of what is unknown could explain.
 */
export function checkQueueHistory(
  history: readonly QueueRecord[],
  end: QueueEnd,
  limits: Readonly<{ maxDeliveries: number }>,
): HistoryVerdict {
  const jobs = jobsOf(history);
  const violations = [
    ...checkTotalQueue(jobs, end),
    ...checkEnds(jobs, end),
    ...checkDeliveries(jobs, history, end, limits.maxDeliveries),
    ...checkTokens(jobs, history),
    ...checkLeases(jobs, history),
    ...checkBroadcasts(history),
  ];
  return { violations, totals: totalsOf(history, [...jobs.values()], end) };
}

function totalsOf(history: readonly QueueRecord[], jobs: readonly Job[], end: QueueEnd): HistoryTotals {
  const outcomes = (outcome: QueueRecord["outcome"]): number =>
    history.filter((record) => record.outcome === outcome).length;
  return {
    processes: new Set(history.map(({ process }) => process)).size,
    published: jobs.filter(({ publishes }) => publishes[0]?.outcome === "ok").length,
    recovered: jobs.filter(({ publishes, grants }) => publishes[0]?.outcome === "info" && grants.length > 0).length,
    grants: jobs.reduce((sum, { grants }) => sum + grants.length, 0),
    duplicated: jobs.filter(({ grants }) => grants.length > 1).length,
    acked: jobs.filter(({ settles }) => settles.some(({ op, outcome }) => op === "ack" && outcome === "ok")).length,
    dead: end.dead.length,
    refused: outcomes("fail"),
    unknown: outcomes("info"),
    heard: history.filter(({ op }) => op === "heard").length,
    missed: history.reduce((sum, record) => sum + (record.op === "gap" ? record.missed : 0), 0),
  };
}
