import { describe, expect, it } from "vitest";
import type { WorkflowScriptContext } from "../../../src/workflow/workflow-definition.ts";
import { WorkflowScript } from "../../../src/workflow/workflow-script.ts";
import { aWorkflowRig, Mishap, type WorkflowRig } from "./workflow-rig.ts";

type Body = (script: WorkflowScriptContext) => Promise<unknown>;

const named = (run: Body, version = 1): WorkflowScript => new WorkflowScript({ name: "changing", version, run });

/** Starts a run of one code, which has to come to a sleep, and has it go on by another one. */
async function changed(before: Body, after: Body): Promise<{ readonly rig: WorkflowRig; readonly runId: string }> {
  const rig = await aWorkflowRig([named(before)]);
  const runId = await rig.app.startWorkflow("changing");
  await rig.settle();
  expect((await rig.store.get(runId))?.status).toBe("suspended");
  const shutdown = rig.app.worker.shutdown();
  await rig.settle();
  await shutdown;
  await rig.another([named(after)]);
  await rig.advance(1_000);
  return { rig, runId };
}

async function divergence(before: Body, after: Body): Promise<Readonly<{ message: string; type: string }>> {
  const { rig, runId } = await changed(before, after);
  const { status, state } = await rig.end(runId);
  expect(status).toBe("failed");
  return state.lastError ?? { message: "", type: "" };
}

const abc: Body = async (script) => {
  await script.step("a", () => 1);
  await script.step("b", () => 2);
  await script.sleep(1_000);
  return script.step("c", () => 3);
};

describe("Code that changed under a run", () => {
  it("is found out when it leaves a step out", async () => {
    const error = await divergence(abc, async (script) => {
      await script.step("a", () => 1);
      await script.sleep(1_000);
      return script.step("c", () => 3);
    });
    expect(error.type).toBe("NondeterminismError");
    expect(error.message).toContain('"b" (step) is recorded next, and the code asks for "/sleep#0"');
  });

  it("is found out when it has a new step before recorded ones", async () => {
    const error = await divergence(abc, async (script) => {
      await script.step("a", () => 1);
      await script.step("new", () => 1);
      await script.step("b", () => 2);
      await script.sleep(1_000);
    });
    expect(error.message).toContain('at step "new": "b" (step) is recorded next');
  });

  it("is found out when it swaps steps, renames one, or makes another kind of thing of one", async () => {
    const swapped = await divergence(abc, async (script) => {
      await script.step("b", () => 2);
      await script.step("a", () => 1);
    });
    expect(swapped.message).toContain('"a" (step) is recorded next, and the code asks for "b"');
    const other = await divergence(abc, async (script) => {
      await script.step("a", () => 1);
      await script.waitForEvent("topic", { name: "b" });
    });
    expect(other.message).toContain('at step "b": "b" (step) is recorded next');
  });

  it("is found out when it ends early, or throws", async () => {
    const early = await divergence(abc, async (script) => script.step("a", () => 1));
    expect(early.message).toContain('"b" (step) is recorded next, and the code ends without it');
    const thrown = await divergence(abc, async (script) => {
      await script.step("a", () => 1);
      throw new Mishap("early");
    });
    expect(thrown.type).toBe("NondeterminismError");
  });

  it("may change after what is recorded", async () => {
    const { rig, runId } = await changed(abc, async (script) => {
      await script.step("a", () => 1);
      await script.step("b", () => 2);
      await script.sleep(1_000);
      await script.step("more", () => 3);
      return script.step("d", () => 4);
    });
    expect((await rig.end(runId)).value).toBe(4);
  });

  it("goes the old way in runs from before a patch, and the new way in later ones", async () => {
    const after: Body = async (script) => {
      await script.step("a", () => 1);
      if (await script.patched("x")) await script.step("new", () => 1);
      await script.step("b", () => 2);
      await script.sleep(1_000);
      return (await script.patched("y")) ? script.step("newer", () => "newer") : script.step("c", () => 3);
    };
    const { rig, runId } = await changed(abc, after);
    expect((await rig.end(runId)).value).toBe("newer");
    expect(await rig.steps(runId)).toEqual(["a", "b", "/sleep#0", "/patch/y", "newer"]);
    const later = await rig.app.startWorkflow("changing");
    await rig.settle();
    await rig.advance(1_000);
    await rig.end(later);
    expect(await rig.steps(later)).toEqual(["a", "/patch/x", "new", "b", "/sleep#0", "/patch/y", "newer"]);
  });

  it("follows the version it began with, and new runs the greatest", async () => {
    const old = named(abc);
    const next = named(async (script) => script.step("other", () => "two"), 2);
    const rig = await aWorkflowRig([old, next]);
    const first = await old.start(rig.app);
    const second = await rig.app.startWorkflow("changing");
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.end(first)).value).toBe(3);
    expect((await rig.end(second)).value).toBe("two");
    expect((await rig.end(second)).state.version).toBe(2);
  });
});

describe("A replay", () => {
  it("runs no recorded step again, and gives what was recorded", async () => {
    const runs: string[] = [];
    const script = new WorkflowScript({
      name: "once",
      async run(s) {
        const values: unknown[] = [];
        for (let i = 0; i < 3; i += 1) {
          values.push(await s.step("loop", () => runs.push(`loop ${i}`), { autoVersion: true }));
          await s.sleep(1_000);
        }
        return values;
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    for (let i = 0; i < 3; i += 1) await rig.advance(1_000);
    expect((await rig.end(runId)).value).toEqual([1, 2, 3]);
    expect(runs).toEqual(["loop 0", "loop 1", "loop 2"]);
    expect(await rig.steps(runId)).toEqual(["loop#0", "/sleep#0", "loop#1", "/sleep#1", "loop#2", "/sleep#2"]);
  });

  it("lets a race end as it did, whatever the order in the code", async () => {
    const winners: unknown[] = [];
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const script = new WorkflowScript({
      name: "race",
      async run(s) {
        const one = s.step("slow", async () => {
          await slow;
          return "slow";
        });
        const other = (async () => {
          const value = await s.step("quick", () => "quick");
          await s.step("after-quick", () => 1);
          return value;
        })();
        winners.push(await Promise.race([one, other]));
        await Promise.all([one, other]);
        await s.sleep(1_000);
        return "end";
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    release();
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe("end");
    expect(winners).toEqual(["quick", "quick"]);
  });

  it("runs parallel steps at the same time, and suspends once all of them wait", async () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    };
    const script = new WorkflowScript({
      name: "parallel",
      async run(s) {
        const lane = async (name: string): Promise<string> => {
          await s.step(`${name}-1`, work);
          await s.sleep(name === "x" ? 1_000 : 2_000, { name: `${name}-nap` });
          await s.step(`${name}-2`, work);
          return name;
        };
        return Promise.all(["x", "y", "z"].map(lane));
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect(most).toBe(3);
    await rig.advance(1_000);
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toEqual(["x", "y", "z"]);
  });

  it("gives the code what was recorded, not the object that the step may go on changing", async () => {
    const list = [1];
    const script = new WorkflowScript({
      name: "copied",
      async run(s) {
        const value = await s.step("a", () => list);
        list.push(2);
        return value;
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect((await rig.end(runId)).value).toEqual([1]);
  });

  it("fails the run for a name that two steps have", async () => {
    const script = new WorkflowScript({
      name: "twice",
      async run(s) {
        await s.step("a", () => 1);
        await s.step("a", () => 2);
      },
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect((await rig.end(runId)).state.lastError).toMatchObject({ type: "InvalidOptionError" });
  });
});
