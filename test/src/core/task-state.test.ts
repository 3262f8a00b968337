import { describe, expect, it } from "vitest";
import { isTerminal, mayReplace, TASK_STATES, type TaskState } from "../../../src/core/task-state.ts";

/** What may follow a state at the same attempt, and what at a higher one. */
const NEXT: Readonly<Record<TaskState, readonly [same: readonly TaskState[], higher: readonly TaskState[]]>> = {
  queued: [
    ["running", "succeeded", "failed", "retried", "cancelled"],
    ["running", "succeeded", "failed", "retried", "cancelled"],
  ],
  running: [
    ["running", "succeeded", "failed", "retried", "cancelled"],
    ["running", "succeeded", "failed", "retried", "cancelled"],
  ],
  retried: [
    ["running", "succeeded", "failed", "retried", "cancelled"],
    ["running", "succeeded", "failed", "retried", "cancelled"],
  ],
  failed: [["succeeded"], ["running", "succeeded", "failed", "retried", "cancelled"]],
  succeeded: [[], []],
  cancelled: [[], []],
};
const PAIRS = TASK_STATES.flatMap((stored) => TASK_STATES.map((next) => ({ stored, next })));

describe("core/task-state", () => {
  it.each(PAIRS)("decides whether $next may replace $stored", ({ stored, next }) => {
    const [same, higher] = NEXT[stored];
    const may = (from: number, to: number): boolean =>
      mayReplace({ state: stored, attempt: from }, { state: next, attempt: to });
    expect(may(1, 1), "same attempt").toBe(same.includes(next));
    expect(may(1, 2), "higher attempt").toBe(higher.includes(next));
    expect(may(2, 1), "lower attempt").toBe(same.includes(next));
  });

  it.each(PAIRS)("lets no $next of an older token replace $stored", ({ stored, next }) => {
    const may = (from: number | undefined, to: number | undefined): boolean =>
      mayReplace({ state: stored, attempt: 1, fence: from }, { state: next, attempt: 2, fence: to });
    expect(may(6, 5)).toBe(false);
    const free = mayReplace({ state: stored, attempt: 1 }, { state: next, attempt: 2 });
    expect([may(5, 5), may(5, 6), may(undefined, 1), may(5, undefined)]).toEqual([free, free, free, free]);
  });

  it("calls exactly succeeded, failed and cancelled terminal", () => {
    expect(TASK_STATES.filter(isTerminal)).toEqual(["succeeded", "failed", "cancelled"]);
  });
});
