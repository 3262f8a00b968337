import { describe, expect, it } from "vitest";
import { collect } from "../../support/collect.ts";
import { track } from "../support.ts";
import { aRun, aStep, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Following one run. */
export function describeWorkflowWatch(open: OpenWorkflowStoreFixture): void {
  describe("watch", () => {
    it(
      "gives the present state, then each change in order, and ends with the run",
      onBench(open, async (bench) => {
        await bench.store.createRun(aRun("r1"));
        const states = bench.store.watch("r1");
        expect(await bench.next(states)).toStrictEqual(await bench.run("r1"));
        const { claim } = await bench.claim("r1");
        expect(await bench.next(states)).toMatchObject({ status: "running", ownerId: "w1", cursor: 0 });
        await bench.clock.advance(1);
        await bench.save(claim, aStep("a"));
        expect(await bench.next(states)).toMatchObject({ cursor: 1 });
        await bench.store.suspend(claim, [{ step: "e", kind: "event", topic: "t" }]);
        expect(await bench.next(states)).toMatchObject({ status: "suspended", waits: [{ step: "e" }] });
        await bench.clock.advance(1);
        await bench.store.emit("t", 1);
        expect(await bench.next(states)).toMatchObject({ status: "suspended", waits: [], continuation: 3 });
        await bench.store.markCompleted((await bench.claim("r1")).claim, 5);
        expect(await bench.next(states)).toMatchObject({ status: "running" });
        expect(await bench.next(states)).toStrictEqual(await bench.run("r1"));
        expect((await bench.arrival(states.next(), "the end")).done).toBe(true);
      }),
    );

    it(
      "gives every change of one turn, seen from another handle",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        const other = await bench.open();
        const states = collect(other.watch("r1"), 5);
        await bench.settle();
        const names = ["a", "b", "c"];
        const saved = names.map((name) => bench.save(claim, aStep(name)));
        await Promise.all([...saved, bench.store.markCompleted(claim, 1)]);
        const seen = await bench.arrival(states, "five states");
        expect(seen.map(({ cursor, status }) => `${status}:${cursor}`)).toEqual([
          "running:0",
          "running:1",
          "running:2",
          "running:3",
          "completed:3",
        ]);
      }),
    );

    it(
      "waits for a run that is not there yet, and says nothing of others and of renewals",
      onBench(open, async (bench) => {
        const states = bench.store.watch("r1");
        const first = track(states.next());
        await bench.settle();
        await bench.store.renewRunLease(await bench.start("r2"), 5);
        await bench.settle();
        expect(first.isPending).toBe(true);
        await bench.store.createRun(aRun("r1"));
        expect((await bench.arrival(first.promise, "the new run")).value).toMatchObject({
          runId: "r1",
          continuation: 1,
        });
        await states.return?.();
      }),
    );

    it(
      "of an ended run gives its state and ends; by return(), and with the store, it ends as well",
      onBench(open, async (bench) => {
        await bench.store.markCompleted(await bench.start("r1"), 1);
        await bench.store.createRun(aRun("r2"));
        expect(await bench.arrival(collect(bench.store.watch("r1"), 9), "its end")).toMatchObject([{ result: 1 }]);
        const other = await bench.open();
        const [left, closed] = [bench.store.watch("r2"), other.watch("r2")];
        await Promise.all([bench.next(left), bench.next(closed)]);
        const waiting = [left.next(), closed.next()];
        await bench.settle();
        await left.return?.();
        await other.close();
        const results = await bench.arrival(Promise.all(waiting), "the end of both watches");
        expect(results.map(({ done }) => done)).toEqual([true, true]);
      }),
    );

    it(
      "tells of children that end with a cancelled run",
      onBench(open, async (bench) => {
        await bench.start("p");
        await bench.store.createRun(aRun("c", { parentRunId: "p", endsWithParent: true }));
        const states = collect(bench.store.watch("c"), 2);
        await bench.settle();
        await bench.store.cancel("p");
        expect(await bench.arrival(states, "the end of the child")).toMatchObject([{}, { status: "cancelled" }]);
      }),
    );
  });
}
