import { describe, expect, it } from "vitest";
import { EVENT_TTL, onBench, type OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";
import type { WorkflowStoreBench } from "./workflow-store-bench.ts";

/** The values of the checkpoints that events have made, in order. */
async function heard(bench: WorkflowStoreBench, runId: string): Promise<unknown[]> {
  const steps = await bench.store.listSteps(runId);
  return steps.filter(({ kind }) => kind === "event").map(({ name, value }) => [name, value]);
}

const event = (payload: unknown): object => ({ outcome: "event", payload });

/** Events that runs wait for. */
export function describeEvents(open: OpenWorkflowStoreFixture): void {
  describe("emit", () => {
    it(
      "wakes every run that waits for the topic, once, with one continuation each",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t", data: { d: 1 } }]);
        await bench.suspended("r2", [
          { step: "e#1", kind: "event", topic: "t", resumeAt: bench.in(1_000) },
          { step: "f", kind: "event", topic: "t" },
        ]);
        await bench.suspended("r3", [{ step: "e", kind: "event", topic: "other" }]);
        await bench.clock.advance(10);
        expect(await bench.store.emit("t", { x: null })).toEqual({
          outcome: "emitted",
          resolutions: [
            { runId: "r1", stepName: "e", topic: "t" },
            { runId: "r2", stepName: "e#1", topic: "t" },
            { runId: "r2", stepName: "f", topic: "t" },
          ],
        });
        expect(await bench.due()).toEqual(["r1:3:event", "r2:3:event"]);
        expect(await bench.run("r1")).toMatchObject({ status: "suspended", waits: [], updatedAt: bench.in(0) });
        expect(await bench.store.emit("t", "again")).toMatchObject({ resolutions: [] });
        expect(await bench.due()).toEqual(["r1:3:event", "r2:3:event"]);
        const { steps } = await bench.claim("r1", { continuation: 3 });
        expect(steps).toMatchObject([
          { name: "e", kind: "event", value: { ...event({ x: null }), data: { d: 1 } }, startedAt: bench.in(-10) },
        ]);
        expect(steps[0]?.endedAt).toEqual(bench.in(0));
        await bench.claim("r2", { continuation: 3 });
        expect(await heard(bench, "r2")).toEqual([
          ["e#1", event({ x: null })],
          ["f", event({ x: null })],
        ]);
        expect(await bench.run("r3")).toMatchObject({ continuation: 2, waits: [{ step: "e" }] });
      }),
    );

    it(
      "ends the timed continuation that was under way",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t", resumeAt: bench.in(100) }]);
        await bench.store.emit("t", 1);
        await bench.clock.advance(100);
        expect(await bench.due()).toEqual(["r1:3:event"]);
        expect(await bench.tryClaim("r1", { continuation: 2 })).toEqual({ kind: "stale" });
        await bench.claim("r1", { continuation: 3 });
        expect(await heard(bench, "r1")).toEqual([["e", event(1)]]);
      }),
    );

    it(
      "comes too late for a deadline that has passed, to the millisecond",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t", resumeAt: bench.in(100) }]);
        await bench.suspended("r2", [{ step: "e", kind: "event", topic: "t", resumeAt: bench.in(101) }]);
        await bench.clock.advance(100);
        const { resolutions } = await bench.store.emit("t", 1);
        expect(resolutions.map(({ runId }) => runId)).toEqual(["r2"]);
        for (const [runId, number] of [
          ["r1", 2],
          ["r2", 3],
        ] as const)
          await bench.claim(runId, { continuation: number });
        expect(await heard(bench, "r1")).toEqual([["e", { outcome: "deadline" }]]);
        expect(await heard(bench, "r2")).toEqual([["e", event(1)]]);
      }),
    );

    it(
      "reaches a run that is held, which finds the event when it would wait",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        expect(await bench.store.emit("t", "early")).toEqual({ outcome: "emitted", resolutions: [] });
        await bench.store.suspend(claim, [{ step: "e", kind: "event", topic: "t" }]);
        expect(await bench.due()).toEqual(["r1:2:event"]);
        expect(await bench.run("r1")).toMatchObject({ status: "suspended", waits: [], continuationAt: bench.in(0) });
        await bench.claim("r1", { continuation: 2 });
        expect(await heard(bench, "r1")).toEqual([["e", event("early")]]);
      }),
    );

    it(
      "ends a wait that a run has kept while it is held",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [
          { step: "e", kind: "event", topic: "t" },
          { step: "nap", kind: "sleep", resumeAt: bench.in(10) },
        ]);
        await bench.clock.advance(10);
        const { claim } = await bench.claim("r1", { continuation: 2 });
        expect((await bench.store.emit("t", 1)).resolutions).toEqual([{ runId: "r1", stepName: "e", topic: "t" }]);
        expect(await bench.run("r1")).toMatchObject({ status: "running", continuation: 2 });
        await bench.store.suspend(claim, [{ step: "long", kind: "sleep", resumeAt: bench.in(1_000) }]);
        expect(await bench.due()).toEqual(["r1:3:event"]);
        expect((await bench.claim("r1", { continuation: 3 })).steps.map(({ name }) => name)).toEqual(["nap", "e"]);
      }),
    );

    it(
      "gives a run every event of a topic once, in order, and none from before it was created",
      onBench(open, async (bench) => {
        await bench.store.emit("t", "before");
        let claim = await bench.start("r1");
        for (const payload of ["one", "two", "three"]) await bench.store.emit("t", payload);
        for (let turn = 0; turn < 3; turn += 1) {
          await bench.store.suspend(claim, [{ step: `e#${turn}`, kind: "event", topic: "t" }]);
          ({ claim } = await bench.claim("r1", { continuation: turn + 2 }));
        }
        await bench.store.suspend(claim, [{ step: "e#3", kind: "event", topic: "t" }]);
        expect(await bench.run("r1")).toMatchObject({ continuation: 5, waits: [{ step: "e#3" }] });
        await bench.store.emit("t", "four");
        await bench.claim("r1", { continuation: 6 });
        expect((await heard(bench, "r1")).map((each) => (each as [string, { payload: string }])[1].payload)).toEqual([
          "one",
          "two",
          "three",
          "four",
        ]);
      }),
    );

    it(
      "ends all waits of a run for the topic, also when they find it later",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        await bench.store.emit("t", 1);
        await bench.clock.advance(10);
        await bench.store.emit("t", 2);
        await bench.store.suspend(claim, [
          { step: "a", kind: "event", topic: "t" },
          { step: "b", kind: "event", topic: "t", resumeAt: bench.in(5) },
          { step: "missed", kind: "event", topic: "t", resumeAt: bench.in(-10) },
        ]);
        await bench.claim("r1", { continuation: 2 });
        expect(await heard(bench, "r1")).toEqual([
          ["missed", { outcome: "deadline" }],
          ["a", event(1)],
          ["b", event(1)],
        ]);
      }),
    );

    it(
      "does nothing for an id that was there, as long as that event is kept",
      onBench(open, async (bench) => {
        const claim = await bench.start("r1");
        expect((await bench.store.emit("t", 1, { eventId: "x" })).outcome).toBe("emitted");
        expect(await bench.store.emit("t", 2, { eventId: "x" })).toEqual({ outcome: "duplicate", resolutions: [] });
        expect((await bench.store.emit("other", 3, { eventId: "x" })).outcome).toBe("emitted");
        await bench.store.suspend(claim, [{ step: "e#0", kind: "event", topic: "t" }]);
        await bench.store.suspend((await bench.claim("r1")).claim, [{ step: "e#1", kind: "event", topic: "t" }]);
        expect((await bench.run("r1")).waits).toMatchObject([{ step: "e#1" }]);
        expect((await bench.store.emit("t", 4, { eventId: "x" })).resolutions).toEqual([]);
        await bench.clock.advance(EVENT_TTL);
        expect((await bench.store.emit("t", 5, { eventId: "x" })).resolutions).toHaveLength(1);
        await bench.claim("r1");
        expect((await heard(bench, "r1")).at(-1)).toEqual(["e#1", event(5)]);
      }),
    );

    it(
      "keeps the event for its time to live, and no longer",
      onBench(open, async (bench) => {
        const claims = [await bench.start("r1"), await bench.start("r2")] as const;
        await bench.store.emit("short", 1, { ttl: 100 });
        await bench.store.emit("none", 1, { ttl: 0 });
        await bench.store.emit("default", 1);
        await bench.clock.advance(99);
        await bench.store.suspend(claims[0], [
          { step: "a", kind: "event", topic: "short" },
          { step: "b", kind: "event", topic: "none" },
        ]);
        await bench.clock.advance(1);
        await bench.store.suspend(claims[1], [{ step: "a", kind: "event", topic: "short" }]);
        expect(await bench.due()).toEqual(["r1:2:event"]);
        expect((await bench.run("r1")).waits).toMatchObject([{ step: "b" }]);
        await bench.clock.advance(EVENT_TTL - 101);
        const { claim } = await bench.claim("r2");
        await bench.store.suspend(claim, [{ step: "b", kind: "event", topic: "default" }]);
        expect((await bench.run("r2")).waits).toMatchObject([{ step: "a" }]);
        expect((await bench.run("r2")).continuationAt).toEqual(bench.in(0));
      }),
    );

    it(
      "applies a policy that has run out to those it would wake",
      onBench(open, async (bench) => {
        const wait = { step: "e", kind: "event", topic: "t" } as const;
        await bench.suspended("r1", [wait], { cancellationPolicy: { maxSuspendDuration: 100 } });
        await bench.suspended("r2", [wait], { cancellationPolicy: { maxSuspendDuration: 101 } });
        await bench.clock.advance(100);
        expect((await bench.store.emit("t", 1)).resolutions.map(({ runId }) => runId)).toEqual(["r2"]);
        expect(await bench.run("r1")).toMatchObject({
          status: "cancelled",
          cancellationData: { reason: "maxSuspendDuration", elapsedMs: 100, limitMs: 100 },
        });
        await bench.clock.advance(100);
        // It was woken in time: that nobody came for it since is not its fault.
        expect((await bench.tryClaim("r2", { continuation: 3 })).kind).toBe("claimed");
      }),
    );

    it(
      "wakes nobody that has ended, and nobody twice for one wait, over two handles",
      onBench(open, async (bench) => {
        await bench.suspended("r1", [{ step: "e", kind: "event", topic: "t" }]);
        await bench.suspended("r2", [{ step: "e", kind: "event", topic: "t" }]);
        await bench.store.cancel("r2");
        const other = await bench.open();
        const receipts = await Promise.all([bench.store.emit("t", 1), other.emit("t", 2), bench.store.emit("t", 3)]);
        expect(receipts.flatMap(({ resolutions }) => resolutions)).toEqual([
          { runId: "r1", stepName: "e", topic: "t" },
        ]);
      }),
    );
  });

  describe("listWatchers and runsWaitingOn", () => {
    it(
      "tell who waits for a topic, earliest first, with deadline and data",
      onBench(open, async (bench) => {
        await bench.suspended("r2", [{ step: "e", kind: "event", topic: "t", data: { a: 1 } }]);
        await bench.clock.advance(1);
        await bench.suspended("r1", [
          { step: "f", kind: "event", topic: "t", resumeAt: bench.in(50) },
          { step: "g", kind: "event", topic: "t" },
          { step: "nap", kind: "sleep", resumeAt: bench.in(50) },
        ]);
        await bench.suspended("r3", [{ step: "c", kind: "child", topic: "t" }]);
        const deadline = bench.in(50);
        expect(await bench.store.listWatchers("t")).toStrictEqual([
          { runId: "r2", stepName: "e", topic: "t", createdAt: bench.in(-1), data: { a: 1 } },
          { runId: "r1", stepName: "f", topic: "t", createdAt: bench.in(0), deadline, data: {} },
          { runId: "r1", stepName: "g", topic: "t", createdAt: bench.in(0), data: {} },
        ]);
        const steps = async (limit: number, offset: number) =>
          (await bench.store.listWatchers("t", { limit, offset })).map(({ stepName }) => stepName);
        expect(await steps(2, 1)).toEqual(["f", "g"]);
        expect(await steps(0, 0)).toEqual([]);
        expect(await steps(5, 3)).toEqual([]);
        expect(await bench.store.runsWaitingOn("t")).toEqual(["r2", "r1"]);
        expect(await bench.store.runsWaitingOn("t", { limit: 1 })).toEqual(["r2"]);
        expect(await bench.store.runsWaitingOn("nobody")).toEqual([]);
        await bench.clock.advance(50);
        expect((await bench.store.listWatchers("t")).map(({ stepName }) => stepName)).toEqual(["e", "g"]);
        await bench.store.emit("t", 1);
        expect(await bench.store.listWatchers("t")).toEqual([]);
      }),
    );
  });
}
