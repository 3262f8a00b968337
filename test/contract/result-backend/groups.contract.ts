import { describe, expect, it } from "vitest";
import type { TaskStatus } from "../../../src/contracts/result-backend.ts";
import { expectError } from "../support.ts";
import { GROUP_TTL, onBench, type OpenResultBackendFixture } from "./result-backend-bench.ts";

function aResult(id: string, change: Partial<TaskStatus> = {}): TaskStatus {
  return { id, state: "succeeded", attempt: 0, payload: `result of ${id}`, meta: {}, ...change };
}

/** Groups of tasks and the claim of their chord callback. */
export function describeGroups(open: OpenResultBackendFixture): void {
  describe("groups", () => {
    it(
      "are complete once every member has a result",
      onBench(open, async ({ backend }) => {
        await backend.initGroup({ id: "g", expected: 2, meta: { "stem.batch": true } });
        const empty = {
          id: "g",
          expected: 2,
          results: new Map(),
          meta: { "stem.batch": true },
          completed: 0,
          isComplete: false,
        };
        expect(await backend.getGroup("g")).toEqual(empty);
        const half = await backend.addGroupResult("g", aResult("a"));
        expect(half).toMatchObject({ completed: 1, isComplete: false });
        const full = await backend.addGroupResult("g", aResult("b"));
        expect(full).toMatchObject({ completed: 2, isComplete: true });
        expect(await backend.getGroup("g")).toEqual(full);
      }),
    );

    it(
      "keep each member's whole status by its task id; a repeated one replaces",
      onBench(open, async ({ backend }) => {
        await backend.initGroup({ id: "g", expected: 2 });
        const error = { type: "E", message: "m", retryable: false, meta: {} };
        const failed: TaskStatus = { id: "a", state: "failed", attempt: 2, error, meta: { queue: "q" } };
        await backend.addGroupResult("g", failed);
        await backend.addGroupResult("g", aResult("b", { payload: { deep: [null] } }));
        const group = await backend.getGroup("g");
        expect(group?.results.get("a")).toStrictEqual(failed);
        expect(group?.results.get("b")?.payload).toEqual({ deep: [null] });
        const again = await backend.addGroupResult("g", aResult("a"));
        expect(again).toMatchObject({ completed: 2, isComplete: true });
        expect(again?.results.get("a")).toStrictEqual(aResult("a"));
      }),
    );

    it(
      "are null when unknown or expired, for late results too",
      onBench(open, async ({ backend, clock }) => {
        expect(await backend.getGroup("g")).toBeNull();
        expect(await backend.addGroupResult("g", aResult("a"))).toBeNull();
        await backend.initGroup({ id: "g", expected: 1 });
        await clock.advance(GROUP_TTL);
        expect(await backend.addGroupResult("g", aResult("a"))).toBeNull();
        expect(await backend.getGroup("g")).toBeNull();
      }),
    );

    it(
      "start anew by initGroup: no result, no claim and no meta stays",
      onBench(open, async ({ backend, clock }) => {
        await backend.initGroup({ id: "g", expected: 1, meta: { old: true } });
        await backend.addGroupResult("g", aResult("a"));
        await backend.claimChord("g");
        await clock.advance(GROUP_TTL - 1);
        await backend.initGroup({ id: "g", expected: 3, meta: { newer: true } });
        await clock.advance(GROUP_TTL - 1);
        const group = await backend.getGroup("g");
        expect(group).toMatchObject({ expected: 3, completed: 0, isComplete: false });
        expect([group?.results.size, group?.meta]).toEqual([0, { newer: true }]);
        expect(await backend.claimChord("g")).toBe(true);
      }),
    );

    it(
      "do not show members of an expired group of the same id",
      onBench(open, async ({ backend, clock }) => {
        await backend.initGroup({ id: "g", expected: 1 });
        await backend.addGroupResult("g", aResult("a"));
        await clock.advance(GROUP_TTL);
        await backend.initGroup({ id: "g", expected: 1 });
        expect((await backend.getGroup("g"))?.results.size).toBe(0);
      }),
    );

    it(
      "count results that come at once, through several handles",
      onBench(open, async (bench) => {
        const other = await bench.open();
        await bench.backend.initGroup({ id: "g", expected: 20 });
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (index % 2 === 0 ? bench.backend : other).addGroupResult("g", aResult(`m-${index}`)),
          ),
        );
        expect(answers.filter((group) => group?.isComplete === true)).toHaveLength(1);
        expect((await other.getGroup("g"))?.completed).toBe(20);
      }),
    );

    it(
      "keep namespaces apart",
      onBench(open, async (bench) => {
        const other = await bench.open({ namespace: "other" });
        await bench.backend.initGroup({ id: "g", expected: 1 });
        expect(await other.getGroup("g")).toBeNull();
        expect(await other.claimChord("g")).toBe(false);
        await other.initGroup({ id: "g", expected: 1 });
        await other.addGroupResult("g", aResult("a"));
        expect((await bench.backend.getGroup("g"))?.completed).toBe(0);
      }),
    );

    it(
      "refuse what is no group and no result",
      onBench(open, async ({ backend }) => {
        await expectError(() => backend.initGroup({ id: "g", expected: -1 }), "STEM_INVALID_OPTION");
        await expectError(() => backend.initGroup({ id: "g", expected: 1.5 }), "STEM_INVALID_OPTION");
        await expectError(() => backend.initGroup({ id: "", expected: 1 }), "STEM_INVALID_NAME");
        const meta = { f: new Date() as never };
        await expectError(() => backend.initGroup({ id: "g", expected: 1, meta }), "STEM_PAYLOAD_NOT_SERIALIZABLE");
        await backend.initGroup({ id: "g", expected: 1 });
        const bad = aResult("a", { payload: { n: Number.NaN } });
        await expectError(() => backend.addGroupResult("g", bad), "STEM_PAYLOAD_NOT_SERIALIZABLE");
        expect((await backend.getGroup("g"))?.completed).toBe(0);
      }),
    );

    it(
      "survive a new opening, with results and claim",
      onBench(open, async (bench) => {
        await bench.backend.initGroup({ id: "g", expected: 2, meta: { m: 1 } });
        await bench.backend.addGroupResult("g", aResult("a"));
        await bench.backend.claimChord("g", { callbackTaskId: "callback" });
        const before = await bench.backend.getGroup("g");
        await bench.reopen();
        expect(await bench.backend.getGroup("g")).toEqual(before);
        expect(await bench.backend.claimChord("g")).toBe(false);
      }),
    );
  });

  describe("claimChord", () => {
    it(
      "is true for the first caller only and keeps its ids in the group's meta",
      onBench(open, async ({ backend }) => {
        await backend.initGroup({ id: "g", expected: 1, meta: { own: [1] } });
        const dispatchedAt = new Date("2026-01-02T03:04:05.678Z");
        expect(await backend.claimChord("g", { callbackTaskId: "first", dispatchedAt })).toBe(true);
        expect(await backend.claimChord("g", { callbackTaskId: "second" })).toBe(false);
        expect((await backend.getGroup("g"))?.meta).toEqual({
          own: [1],
          "stem.chord.claimed": true,
          "stem.chord.callbackTaskId": "first",
          "stem.chord.dispatchedAt": "2026-01-02T03:04:05.678Z",
        });
      }),
    );

    it(
      "is true for exactly one of many callers at once",
      onBench(open, async (bench) => {
        const other = await bench.open();
        await bench.backend.initGroup({ id: "g", expected: 1 });
        const callers = Array.from({ length: 10 }, (_, index) => `c-${index}`);
        const answers = await Promise.all(
          callers.map((callbackTaskId, index) =>
            (index % 2 === 0 ? bench.backend : other).claimChord("g", { callbackTaskId }),
          ),
        );
        expect(answers.filter(Boolean)).toHaveLength(1);
        const winner = callers[answers.indexOf(true)];
        expect((await other.getGroup("g"))?.meta["stem.chord.callbackTaskId"]).toBe(winner);
      }),
    );

    it(
      "is false without a group, and refuses what is no date",
      onBench(open, async ({ backend, clock }) => {
        expect(await backend.claimChord("unknown")).toBe(false);
        await backend.initGroup({ id: "g", expected: 1 });
        const dispatchedAt = new Date(Number.NaN);
        await expectError(() => backend.claimChord("g", { dispatchedAt }), "STEM_INVALID_OPTION");
        await clock.advance(GROUP_TTL);
        expect(await backend.claimChord("g")).toBe(false);
      }),
    );

    it(
      "keeps results and time to live as they were",
      onBench(open, async ({ backend, clock }) => {
        await backend.initGroup({ id: "g", expected: 2 });
        await backend.addGroupResult("g", aResult("a"));
        await clock.advance(GROUP_TTL - 1);
        await backend.claimChord("g");
        expect((await backend.addGroupResult("g", aResult("b")))?.isComplete).toBe(true);
        await clock.advance(1);
        expect(await backend.getGroup("g")).toBeNull();
      }),
    );
  });
}
