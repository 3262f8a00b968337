import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import { aRun, onBench, type OpenWorkflowStoreFixture, QUEUES } from "./workflow-store-bench.ts";

/** Runs as they are created and read. */
export function describeCreate(open: OpenWorkflowStoreFixture): void {
  describe("createRun and get", () => {
    it(
      "store a running run with nothing done, nobody's, due at once",
      onBench(open, async ({ store, now }) => {
        expect(await store.createRun(aRun("r1", { params: { a: [1, -0, null, "ä"] } }))).toBe("r1");
        const at = new Date(now);
        expect(await store.get("r1")).toStrictEqual({
          runId: "r1",
          workflow: "order",
          version: 1,
          status: "running",
          cursor: 0,
          params: { a: [1, -0, null, "ä"] },
          metadata: {},
          queues: QUEUES,
          waits: [],
          rewinds: 0,
          continuation: 1,
          continuationAt: at,
          createdAt: at,
          updatedAt: at,
        });
        expect(await store.listSteps("r1")).toEqual([]);
      }),
    );

    it(
      "keep metadata, parent and cancellation policy apart from the parameters",
      onBench(open, async ({ store }) => {
        const more = {
          version: 7,
          metadata: { stream: "s" },
          parentRunId: "p",
          endsWithParent: true,
          cancellationPolicy: { maxRunDuration: 1_000, maxSuspendDuration: 10.5 },
        };
        await store.createRun(aRun("r1", more));
        const { endsWithParent: _, ...shown } = more;
        expect(await store.get("r1")).toMatchObject({ ...shown, params: {} });
      }),
    );

    it(
      "send the first message to the orchestration queue, and the later ones to the other",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        expect(await bench.due()).toEqual(["r1:1:start"]);
        await bench.store.releaseRun(claim);
        expect(await bench.due()).toEqual(["r1:2:due"]);
      }),
    );

    it(
      "refuse an id that is taken, and leave the first run as it is",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a");
        await expectError(() => bench.store.createRun(aRun("r1", { params: { other: 1 } })), "STEM_DUPLICATE_RUN");
        expect(await bench.run("r1")).toMatchObject({ params: {}, ownerId: "w1", cursor: 1 });
        expect(await bench.store.readStep("r1", "a")).toBe("of a");
        await bench.store.markCompleted(claim, null);
        await expectError(() => bench.store.createRun(aRun("r1")), "STEM_DUPLICATE_RUN");
      }),
    );

    it(
      "share no object with the caller",
      onBench(open, async ({ store }) => {
        const params = { list: [1] };
        await store.createRun(aRun("r1", { params }));
        params.list.push(2);
        const read = await store.get("r1");
        expect(read?.params).toEqual({ list: [1] });
        read?.createdAt.setTime(0);
        expect((await store.get("r1"))?.createdAt.getTime()).toBeGreaterThan(0);
      }),
    );

    it(
      "know nothing of a run that is not there",
      onBench(open, async (bench) => {
        expect(await bench.store.get("nobody")).toBeNull();
        expect(await bench.store.listSteps("nobody")).toEqual([]);
        expect(await bench.store.readStep("nobody", "a")).toBeUndefined();
        expect(await bench.tryClaim("nobody")).toEqual({ kind: "stale" });
      }),
    );

    it(
      "survive a new opening",
      onBench(open, async (bench) => {
        const claim = await bench.withSteps("r1", "a", "b");
        await bench.store.suspend(claim, [
          { step: "nap", kind: "sleep", resumeAt: bench.in(1_000), data: { why: "z" } },
        ]);
        const [run, steps] = [await bench.run("r1"), await bench.store.listSteps("r1")];
        await bench.reopen();
        expect(await bench.run("r1")).toStrictEqual(run);
        expect(await bench.store.listSteps("r1")).toStrictEqual(steps);
      }),
    );
  });
}
