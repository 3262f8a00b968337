import { describe, expect, it } from "vitest";
import { type CrashFinding, judge } from "../support/crash-check.ts";
import { record } from "../support/crash-check-suite.ts";
import { History } from "../support/history.ts";
import type { DatabaseContent } from "../support/history-content.ts";
import { WorkloadModel } from "../support/workload-model.ts";

// Histories made by hand: a commit is begun after `begunAt` calls and, unless it fails, acknowledged later.
describe("the judgement of a crash image", () => {
  it("accepts what was acknowledged and what was begun, and nothing before or after", () => {
    const { history, at } = makeHistory();
    commit(history, at, 10, "A");
    acknowledgeAt(history, at, 14);
    commit(history, at, 20, "B");
    acknowledgeAt(history, at, 25);
    expect(kindAt(history, 10, "nothing")).toBeUndefined();
    expect(kindAt(history, 10, "A")).toBe("mixed");
    expect(kindAt(history, 11, "A")).toBeUndefined();
    expect(kindAt(history, 13, "nothing")).toBeUndefined();
    expect(kindAt(history, 14, "nothing")).toBe("lost");
    expect(kindAt(history, 21, "A")).toBeUndefined();
    expect(kindAt(history, 21, "B")).toBeUndefined();
    expect(kindAt(history, 25, "A")).toBe("lost");
    expect(kindAt(history, 25, "half of B")).toBe("mixed");
  });

  it("accepts a commit of unknown outcome either way, and one that was not applied only as it was before", async () => {
    for (const [isStruck, expected] of [
      [false, undefined],
      [true, "mixed"],
    ] as const) {
      const { history, at } = makeHistory();
      fail(history, at, 10, "A");
      if (isStruck) history.strike();
      expect(kindAt(history, 15, "nothing")).toBeUndefined();
      expect(kindAt(history, 15, "A")).toBe(expected);
    }
  });

  it("does not strike a commit by the answer to a later call", async () => {
    const { history, at } = makeHistory();
    fail(history, at, 10, "A");
    await Promise.resolve();
    history.strike();
    expect(kindAt(history, 15, "A")).toBeUndefined();
  });

  it("reports what did not open, whatever the history", () => {
    const { history } = makeHistory();
    const point = { mode: "killed", dirent: "strict", index: 0 } as const;
    expect(judge({ kind: "refused", detail: "no" }, point, history)?.kind).toBe("refused");
  });
});

describe("the model of a workload", () => {
  it("objects to a message that is lost, invented, or in two places", () => {
    const model = new WorkloadModel();
    model.published({ namespace: "red", id: "one", queue: "q0" });
    expect(model.objection(contentWith(["one"], []))).toBeUndefined();
    expect(model.objection(contentWith([], ["one"]))).toBeUndefined();
    expect(model.objection(contentWith([], []))).toMatch(/"lost":\["red\/one"\]/);
    expect(model.objection(contentWith(["one", "two"], []))).toMatch(/"invented":\["red\/two"\]/);
    expect(model.objection(contentWith(["one"], ["one"]))).toMatch(/"doubled":\["red\/one"\]/);
  });
});

describe("a recording", () => {
  it("is the same every time it is made", async () => {
    const workload = { seed: 51, turns: 20, reopenEvery: 8, engine: { walAutocheckpoint: 6 } };
    const [one, other] = [await record(workload), await record(workload)];
    expect(one.operations.length).toBeGreaterThan(100);
    expect(other.operations).toEqual(one.operations);
    expect(other.history.states).toEqual(one.history.states);
  });
});

function makeHistory(): { history: History; at: { operationCount: number } } {
  const at = { operationCount: 0 };
  return { history: new History(at, contentOf("nothing")), at };
}

function commit(history: History, at: { operationCount: number }, begunAt: number, digest: string): void {
  at.operationCount = begunAt;
  history.begin(contentOf(digest));
  history.after(undefined);
}

function fail(history: History, at: { operationCount: number }, begunAt: number, digest: string): void {
  at.operationCount = begunAt;
  history.begin(contentOf(digest));
  history.after(new Error("no"));
}

function acknowledgeAt(history: History, at: { operationCount: number }, index: number): void {
  at.operationCount = index;
  history.acknowledge();
}

function kindAt(history: History, index: number, digest: string): CrashFinding["kind"] | undefined {
  return judge({ kind: "recovered", digest }, { mode: "killed", dirent: "strict", index }, history)?.kind;
}

function contentOf(digest: string): DatabaseContent {
  return { digest, version: 1, text: "{}" };
}

function contentWith(queued: readonly string[], dead: readonly string[]): DatabaseContent {
  const rows = (ids: readonly string[]): unknown => ids.map((id) => ({ namespace: "red", id }));
  return { digest: "", version: 1, text: JSON.stringify({ queue_jobs: rows(queued), dead_letters: rows(dead) }) };
}
