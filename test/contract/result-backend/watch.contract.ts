import { describe, expect, it } from "vitest";
import { collect } from "../../support/collect.ts";
import { expectError, track } from "../support.ts";
import { onBench, type OpenResultBackendFixture, TTL } from "./result-backend-bench.ts";

/** The statuses of one task as they come. */
export function describeWatch(open: OpenResultBackendFixture): void {
  describe("watch", () => {
    it(
      "gives the present status first, then each change in order, and ends after a terminal one",
      onBench(open, async (bench) => {
        const { backend } = bench;
        await backend.set("t", "queued");
        const watch = backend.watch("t");
        expect((await bench.next(watch)).state).toBe("queued");
        await backend.set("t", "running", { attempt: 0 });
        await backend.set("t", "retried", { attempt: 1 });
        await backend.set("t", "running", { attempt: 1 });
        await backend.set("t", "succeeded", { attempt: 1, payload: { done: true } });
        const rest = await bench.arrival(collect(watch), "the end of the watch");
        expect(rest.map(({ state }) => state)).toEqual(["running", "retried", "running", "succeeded"]);
        expect(rest.at(-1)).toEqual(await backend.get("t"));
      }),
    );

    it(
      "waits for the first status of an unknown task",
      onBench(open, async (bench) => {
        const watch = bench.backend.watch("t");
        const first = track(watch.next());
        await bench.settle();
        expect(first.isPending).toBe(true);
        await bench.backend.set("other", "running");
        await bench.settle();
        expect(first.isPending).toBe(true);
        await bench.backend.set("t", "running");
        expect((await bench.arrival(first.promise, "the first status")).value).toMatchObject({ id: "t" });
      }),
    );

    it(
      "gives a terminal status that is there already, and ends",
      onBench(open, async (bench) => {
        await bench.backend.set("t", "failed");
        const statuses = await bench.arrival(collect(bench.backend.watch("t")), "the end of the watch");
        expect(statuses.map(({ state }) => state)).toEqual(["failed"]);
      }),
    );

    it(
      "does not give an expired status",
      onBench(open, async (bench) => {
        await bench.backend.set("t", "succeeded");
        await bench.clock.advance(TTL);
        const watch = bench.backend.watch("t");
        const first = track(watch.next());
        await bench.settle();
        expect(first.isPending).toBe(true);
        await bench.backend.set("t", "running");
        expect((await bench.arrival(first.promise, "the new status")).value?.state).toBe("running");
      }),
    );

    it(
      "says nothing of writes that changed nothing",
      onBench(open, async (bench) => {
        const { backend } = bench;
        await backend.set("t", "running", { fence: 5 });
        const watch = backend.watch("t");
        await bench.next(watch);
        await backend.set("t", "queued");
        await backend.set("t", "succeeded", { fence: 4 });
        await backend.set("t", "succeeded", { fence: 5 });
        expect(await bench.arrival(collect(watch), "the end of the watch")).toHaveLength(1);
      }),
    );

    it(
      "sees what another handle writes",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const watch = bench.backend.watch("t");
        const all = collect(watch);
        await bench.settle();
        await other.set("t", "running");
        await bench.settle();
        await other.set("t", "succeeded", { payload: 1 });
        expect((await bench.arrival(all, "the end of the watch")).map(({ state }) => state)).toEqual([
          "running",
          "succeeded",
        ]);
      }),
    );

    it(
      "gives every watcher everything, and objects of its own",
      onBench(open, async (bench) => {
        const all = [1, 2, 3].map(() => collect(bench.backend.watch("t")));
        await bench.settle();
        await bench.backend.set("t", "running");
        await bench.backend.set("t", "succeeded", { payload: { list: [] } });
        const [one, two, three] = await bench.arrival(Promise.all(all), "the end of three watches");
        expect(one).toEqual(two);
        expect(two).toEqual(three);
        expect(one).toHaveLength(2);
        expect(one?.[1]?.payload).not.toBe(two?.[1]?.payload);
      }),
    );

    it(
      "ends by return(), also while next() waits",
      onBench(open, async (bench) => {
        const watch = bench.backend.watch("t");
        const waiting = watch.next();
        await bench.settle();
        await watch.return?.();
        expect((await bench.arrival(waiting, "the end of next()")).done).toBe(true);
        await bench.backend.set("t", "running");
        expect((await bench.arrival(watch.next(), "the end of next()")).done).toBe(true);
      }),
    );

    it(
      "gives nothing more after return(), not even what had come already",
      onBench(open, async (bench) => {
        await bench.backend.set("t", "queued");
        const watch = bench.backend.watch("t");
        await bench.next(watch);
        await bench.backend.set("t", "running");
        await bench.backend.set("t", "succeeded");
        await bench.settle();
        await watch.return?.();
        expect((await bench.arrival(watch.next(), "the end of next()")).done).toBe(true);
      }),
    );

    it(
      "ends when the backend closes",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const all = collect(other.watch("t"));
        await bench.settle();
        await other.close();
        expect(await bench.arrival(all, "the end of the watch")).toEqual([]);
      }),
    );

    it(
      "refuses what is no task id",
      onBench(open, async ({ backend }) => {
        await expectError(async () => collect(backend.watch("a b")), "STEM_INVALID_NAME");
      }),
    );
  });
}
