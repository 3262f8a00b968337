import { describe, expect, it } from "vitest";
import type { WorkflowScriptContext } from "../../../src/workflow/workflow-definition.ts";
import { defineWorkflowEvent } from "../../../src/workflow/workflow-refs.ts";
import { WorkflowScript } from "../../../src/workflow/workflow-script.ts";
import { aWorkflowRig } from "./workflow-rig.ts";

const decided = defineWorkflowEvent<{ ok: boolean }>("decided");

describe("A run that waits", () => {
  it("sleeps for days without a timer or a message that could go on too early", async () => {
    const script = new WorkflowScript({
      name: "sleeper",
      async run(s) {
        await s.sleep(30 * 86_400_000);
        return "awake";
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    const run = await rig.store.get(runId);
    expect(run).toMatchObject({ status: "suspended", waits: [{ step: "/sleep#0", kind: "sleep" }] });
    expect(run?.ownerId).toBeUndefined();
    expect(await rig.broker.pendingCount("workflow")).toBe(0);
    await rig.advance(30 * 86_400_000 - 1);
    expect((await rig.store.get(runId))?.status).toBe("suspended");
    await rig.advance(1);
    expect((await rig.end(runId)).value).toBe("awake");
  });

  it("is woken by an event, with its payload, and each waiting run once", async () => {
    const script = new WorkflowScript({ name: "waiter", run: (s) => s.awaitEvent(decided, { data: { why: 1 } }) });
    const rig = await aWorkflowRig([script]);
    const runs = await Promise.all([script.start(rig.app), script.start(rig.app)]);
    await rig.settle();
    const receipt = await rig.app.emit(decided, { ok: true });
    expect(receipt.resolutions.map(({ runId }) => runId).sort()).toEqual([...runs].sort());
    await rig.settle();
    for (const runId of runs) {
      expect((await rig.end(runId)).value).toEqual({ kind: "event", payload: { ok: true }, data: { why: 1 } });
    }
    expect((await rig.app.emit(decided, { ok: true })).resolutions).toEqual([]);
  });

  it("finds events that came before it waited, in their order, but none from before it began", async () => {
    const script = new WorkflowScript({
      name: "late",
      async run(s) {
        await s.sleep(1_000);
        return [await s.waitForEvent("tick"), await s.waitForEvent("tick"), await s.waitForEvent("tick")];
      },
    });
    const rig = await aWorkflowRig([script]);
    await rig.app.emit("tick", 0);
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.app.emit("tick", 1);
    await rig.app.emit("tick", 2, { eventId: "two" });
    expect((await rig.app.emit("tick", 2, { eventId: "two" })).outcome).toBe("duplicate");
    await rig.advance(1_000);
    await rig.app.emit("tick", 3);
    await rig.settle();
    expect((await rig.end(runId)).value).toEqual([1, 2, 3]);
  });

  it("goes on at its deadline, after which an event is too late", async () => {
    const script = new WorkflowScript({
      name: "impatient",
      async run(s) {
        const first = await s.awaitEvent(decided, { timeout: 1_000 });
        await s.sleep(1_000);
        return first.kind;
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    await rig.advance(1_000);
    await rig.app.emit(decided, { ok: false });
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe("deadline");
  });

  it("takes what comes first of an event and a sleep, and stays with it", async () => {
    const script = new WorkflowScript({
      name: "either",
      async run(s) {
        const first = await Promise.race([
          s.waitForEvent("go").then(() => "event"),
          s.sleep(5_000).then(() => "sleep"),
        ]);
        await s.sleep(10_000, { name: "after" });
        return first;
      },
    });
    const rig = await aWorkflowRig([script]);
    const woken = await script.start(rig.app);
    await rig.settle();
    await rig.app.emit("go", null);
    const slept = await script.start(rig.app);
    await rig.advance(5_000);
    await rig.app.emit("go", null);
    await rig.advance(10_000);
    await rig.advance(10_000);
    expect((await rig.end(woken)).value).toBe("event");
    expect((await rig.end(slept)).value).toBe("sleep");
  });

  it("refuses what is no duration, topic, deadline or option, and the run fails", async () => {
    const calls: ((s: WorkflowScriptContext) => Promise<unknown>)[] = [];
    const bad = async (s: WorkflowScriptContext) => {
      const found: string[] = [];
      for (const call of calls) await call(s).catch((error: { code: string }) => void found.push(error.code));
      return found;
    };
    calls.push(
      (s) => s.sleep(Number.NaN),
      (s) => s.sleep(-1),
      (s) => s.sleep(1, { nam: "x" } as never),
      (s) => s.sleep(1, { name: "a/b" }),
      (s) => s.awaitEvent("no topic"),
      (s) => s.awaitEvent("t", { deadline: new Date(Number.NaN) }),
      (s) => s.step("x", "no function" as never),
      (s) => s.step("x", () => 1, { retryPolicy: { maxRetries: -1 } }),
      (s) => s.tasks("t", "none" as never),
    );
    const script = new WorkflowScript({ name: "bad", run: bad });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    const codes = (await rig.end(runId)).value as string[];
    expect(codes).toHaveLength(calls.length);
    for (const code of codes) expect(["STEM_INVALID_OPTION", "STEM_INVALID_NAME"]).toContain(code);
  });
});
