import { describe, expect, it } from "vitest";
import type { StatusWrite } from "../../../src/contracts/result-backend.ts";
import { mayReplace, TASK_STATES } from "../../../src/core/task-state.ts";
import { onBench, type OpenResultBackendFixture } from "./result-backend-bench.ts";

type Write = Pick<StatusWrite, "state" | "attempt" | "fence">;

const NAMED: readonly (readonly [string, Write, Write, boolean])[] = [
  ["queued never replaces running", { state: "running" }, { state: "queued" }, false],
  ["queued never replaces succeeded", { state: "succeeded" }, { state: "queued" }, false],
  ["queued does not even replace queued", { state: "queued" }, { state: "queued" }, false],
  ["running replaces queued", { state: "queued" }, { state: "running" }, true],
  ["succeeded is final", { state: "succeeded" }, { state: "failed", attempt: 9 }, false],
  ["cancelled is final", { state: "cancelled" }, { state: "succeeded", attempt: 9 }, false],
  ["failed gives way to succeeded", { state: "failed" }, { state: "succeeded" }, true],
  ["failed stands against the same attempt", { state: "failed", attempt: 1 }, { state: "running", attempt: 1 }, false],
  ["failed gives way to a higher attempt", { state: "failed", attempt: 1 }, { state: "running", attempt: 2 }, true],
  ["an older token changes nothing", { state: "running", fence: 7 }, { state: "succeeded", fence: 6 }, false],
  ["the same token may go on", { state: "running", fence: 7 }, { state: "succeeded", fence: 7 }, true],
  ["a newer token may go on", { state: "running", fence: 7 }, { state: "running", fence: 8 }, true],
];

/** Which write may replace which: the rule of `mayReplace`, applied in the write itself. */
export function describeStatusRules(open: OpenResultBackendFixture): void {
  describe("status rules", () => {
    it.for(NAMED)("%s", async ([, stored, next, replaces], context) => {
      await onBench(open, async (bench) => {
        await bench.write({ taskId: "t", ...stored, payload: "first" });
        expect(await bench.write({ taskId: "t", ...next, payload: "second" })).toBe(replaces);
        const status = await bench.backend.get("t");
        const { state, attempt = 0 } = replaces ? next : stored;
        expect(status).toMatchObject({ state, attempt, payload: replaces ? "second" : "first" });
      })(context);
    });

    it(
      "hold for every pair of states, attempts and tokens",
      onBench(open, async (bench) => {
        const writes: Write[] = TASK_STATES.flatMap((state) =>
          [0, 1].flatMap((attempt) => [{ state, attempt }, ...[1, 2].map((fence) => ({ state, attempt, fence }))]),
        );
        let number = 0;
        for (const stored of writes) {
          for (const next of writes) {
            number += 1;
            const taskId = `pair-${number}`;
            await bench.write({ taskId, ...stored });
            const expected = mayReplace({ attempt: 0, ...stored }, { attempt: 0, ...next });
            const replaced = await bench.write({ taskId, ...next });
            expect(replaced, `${JSON.stringify(next)} over ${JSON.stringify(stored)}`).toBe(expected);
            const { state, attempt } = expected ? next : stored;
            expect(await bench.backend.get(taskId)).toMatchObject({ state, attempt });
          }
        }
        expect(number).toBe(1_296);
      }),
    );

    it(
      "leave a refused write without any effect: no date, no time to live, no token",
      onBench(open, async ({ backend, clock }) => {
        await backend.set("t", "succeeded", { fence: 5, ttl: 1_000 });
        const before = await backend.listTaskStatuses();
        await clock.advance(600);
        expect(await backend.set("t", "running", { fence: 9, ttl: 60_000 })).toBe(false);
        expect(await backend.listTaskStatuses()).toEqual(before);
        await clock.advance(400);
        expect(await backend.get("t")).toBeNull();
      }),
    );

    it(
      "let an expired status be replaced by anything",
      onBench(open, async ({ backend, clock }) => {
        await backend.set("t", "cancelled", { fence: 9, ttl: 1_000 });
        await clock.advance(1_000);
        expect(await backend.set("t", "queued", { fence: 1 })).toBe(true);
        const { items } = await backend.listTaskStatuses();
        expect(items).toMatchObject([{ status: { state: "queued" }, createdAt: new Date(clock.now()) }]);
      }),
    );

    it(
      "let one of several terminal writes at once win",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const answers = await Promise.all([
          bench.backend.set("t", "succeeded", { payload: 0 }),
          other.set("t", "succeeded", { payload: 1 }),
          bench.backend.set("t", "succeeded", { payload: 2 }),
        ]);
        expect(answers.filter(Boolean)).toHaveLength(1);
        expect((await other.get("t"))?.payload).toBe(answers.indexOf(true));
      }),
    );
  });
}
