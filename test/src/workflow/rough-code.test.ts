import { describe, expect, it, onTestFinished } from "vitest";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { settle } from "../../../src/testing/settle.ts";
import type { WorkflowScriptContext, WorkflowStepContext } from "../../../src/workflow/workflow-definition.ts";
import { WorkflowScript } from "../../../src/workflow/workflow-script.ts";
import { aWorkflowRig, Mishap, type WorkflowRig } from "./workflow-rig.ts";

type Body = (script: WorkflowScriptContext) => Promise<unknown>;

const NO_RETRY = { retryPolicy: { maxRetries: 0 } };
const ONE_RETRY = { retryPolicy: { maxRetries: 1, defaultDelay: 1_000 } };
const HOUR = 3_600_000;
const fail = (): never => {
  throw new Mishap("no");
};

/** A run of this code, as far as it comes without time. */
async function started(run: Body): Promise<{ readonly rig: WorkflowRig; readonly runId: string }> {
  const script = new WorkflowScript({ name: "rough", run });
  const rig = await aWorkflowRig([script]);
  const runId = await script.start(rig.app);
  await rig.settle();
  return { rig, runId };
}

/** Has every answer of the store take some turns of the event loop, as real ones do. */
function slowStore({ store }: WorkflowRig): void {
  for (const name of ["saveStep", "suspend", "markFailed", "markCompleted"] as const) {
    const call = store[name].bind(store) as (...given: unknown[]) => Promise<never>;
    store[name] = async (...given: unknown[]): Promise<never> => {
      await settle();
      const answer = await call(...given);
      await settle();
      return answer;
    };
  }
}

describe("Code that has ended", () => {
  it("may have come by the first of several steps only", async () => {
    const script = new WorkflowScript({
      name: "rough",
      run: (s) => Promise.race([1, 2, 3, 4].map((n) => s.step(`racer-${n}`, () => n))),
    });
    const rig = await aWorkflowRig([script]);
    const markCompleted = rig.store.markCompleted.bind(rig.store);
    rig.store.markCompleted = () => Promise.reject(new Mishap("store is away"));
    const runId = await script.start(rig.app);
    await rig.settle();
    expect(await rig.steps(runId)).toHaveLength(4);
    rig.store.markCompleted = markCompleted;
    await rig.advance(10_000);
    expect((await rig.end(runId)).value).toBe(1);
  });

  it("may leave a step behind that nobody waits for, and that fails", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    const { rig, runId } = await started(async (s) => {
      const later = s.step("a", fail, NO_RETRY);
      await s.sleep(1_000);
      return later.catch((error: Error) => error.name);
    });
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe("StepFailedError");
    expect(unhandled).toEqual([]);
  });
});

describe("Code that awaits a lot between two steps", () => {
  const longWay = async (): Promise<void> => {
    for (let turn = 0; turn < 1_000; turn += 1) await Promise.resolve();
  };

  it("is not taken for changed", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { rig, runId } = await started(async (s) => {
      await Promise.all([s.step("a", () => held), longWay().then(() => s.step("b", () => 2))]);
      await s.sleep(1_000);
      return "through";
    });
    release();
    await rig.settle();
    expect(await rig.steps(runId)).toEqual(["b", "a"]);
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe("through");
  });

  it("comes to its step, although another branch waits already", async () => {
    const { rig, runId } = await started(async (s) => {
      await Promise.all([s.sleep(HOUR), longWay().then(() => s.step("b", () => 2))]);
    });
    expect(await rig.steps(runId)).toEqual(["b"]);
  });
});

describe("A run that fails while other branches go on", () => {
  it("does not wait for what these wait for, however long the store takes", async () => {
    const undone: string[] = [];
    const script = new WorkflowScript({
      name: "rough",
      async run(s) {
        await s.step("a", () => 1, { compensate: () => void undone.push("a") });
        await Promise.all([s.sleep(HOUR), s.step("b", fail, NO_RETRY)]);
      },
    });
    const rig = await aWorkflowRig([script]);
    slowStore(rig);
    const runId = await script.start(rig.app);
    for (let i = 0; i < 20; i += 1) await rig.settle();
    expect((await rig.end(runId)).status).toBe("failed");
    expect(undone).toEqual(["a"]);
  });

  it("finishes the steps that can be undone, undoes them, and begins no others", async () => {
    const did: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { rig, runId } = await started(async (s) => {
      const lane = async (): Promise<void> => {
        await s.step("slow", () => held, { compensate: () => void did.push("undo slow") });
        await s.step("next", () => void did.push("next"));
      };
      await Promise.all([lane(), s.step("b", fail, NO_RETRY)]);
    });
    expect((await rig.store.get(runId))?.status).toBe("running");
    release();
    await rig.settle();
    expect((await rig.end(runId)).state.lastError?.message).toContain('Step "b" failed');
    expect(did).toEqual(["undo slow"]);
  });

  it("lets compensations wait, twice, also when it was cancelled", async () => {
    const undone: string[] = [];
    const compensate = async (context: WorkflowStepContext): Promise<void> => {
      await context.sleep(1_000);
      await context.sleep(1_000);
      undone.push(context.runId);
    };
    const { rig, runId } = await started(async (s) => {
      await s.step("a", () => 1, { compensate });
      await s.step("b", fail, NO_RETRY);
    });
    await rig.advance(1_000);
    await rig.advance(1_000);
    expect((await rig.end(runId)).state.lastError?.meta["uncompensated"]).toBeUndefined();
    const other = await started(async (s) => {
      await s.step("a", () => 1, { compensate });
      await s.sleep(HOUR);
    });
    await other.rig.app.cancelWorkflow(other.runId, { compensate: true });
    await other.rig.advance(1_000);
    await other.rig.advance(1_000);
    expect((await other.rig.end(other.runId)).status).toBe("cancelled");
    expect(undone).toEqual([runId, other.runId]);
  });

  it("is undone when its result is too large to be stored", async () => {
    const undone: string[] = [];
    const { rig, runId } = await started(async (s) => {
      await s.step("a", () => 1, { compensate: () => void undone.push("a") });
      return "x".repeat(2_000_000);
    });
    expect((await rig.end(runId)).state.lastError?.type).toBe("PayloadTooLargeError");
    expect(undone).toEqual(["a"]);
  });
});

describe("Code that swallows errors", () => {
  it("ends when its run is cancelled, also out of a loop without end", async () => {
    const undone: string[] = [];
    const { rig, runId } = await started(async (s) => {
      await s.step("a", () => 1, { compensate: () => void undone.push("a") });
      for (;;) {
        try {
          await s.sleep(1_000);
          await s.step("poll", () => 1, { autoVersion: true });
        } catch {
          // It goes on, whatever it is told.
        }
      }
    });
    await rig.advance(1_000);
    await rig.app.cancelWorkflow(runId, { compensate: true });
    await rig.settle();
    expect((await rig.end(runId)).status).toBe("cancelled");
    expect(undone).toEqual(["a"]);
  });

  it("is cancelled when it was told so, although it returns", async () => {
    const { rig, runId } = await started(async (s) => {
      await s.sleep(HOUR).catch(() => undefined);
      return "fine";
    });
    await rig.app.cancelWorkflow(runId, { compensate: true });
    await rig.settle();
    expect((await rig.end(runId)).status).toBe("cancelled");
  });
});

describe("Waits beside a step that takes long", () => {
  /** A step that lasts until it is let go. */
  const long = (): { readonly run: () => Promise<string>; readonly release: () => void } => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    return { run: () => held.then(() => "long"), release: () => release() };
  };

  it("end in time, as a limit of the step's time has to, and stay so", async () => {
    const { run, release } = long();
    const winners: unknown[] = [];
    const { rig, runId } = await started(async (s) => {
      const slow = s.step("long", run);
      winners.push(await Promise.race([slow, s.sleep(1_000, { data: { limit: 1 } })]));
      await s.step("then", () => 1);
      await slow;
      await s.sleep(1_000);
      return "end";
    });
    await rig.advance(1_000);
    expect(await rig.steps(runId)).toEqual(["/sleep#0", "then"]);
    release();
    await rig.settle();
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe("end");
    expect(winners).toEqual([
      { kind: "timer", data: { limit: 1 } },
      { kind: "timer", data: { limit: 1 } },
    ]);
  });

  it("go on through retries of another step", async () => {
    const { run, release } = long();
    const attempts: number[] = [];
    const flaky = ({ attempt }: WorkflowStepContext): number => {
      attempts.push(attempt);
      return attempt === 0 ? fail() : attempt;
    };
    const { rig, runId } = await started((s) => Promise.all([s.step("long", run), s.step("flaky", flaky, ONE_RETRY)]));
    await rig.advance(1_000);
    expect(await rig.steps(runId)).toEqual(["flaky"]);
    release();
    await rig.settle();
    expect((await rig.end(runId)).value).toEqual(["long", 1]);
    expect(attempts).toEqual([0, 1]);
  });
});

describe("A patch", () => {
  it("is not for a run that waits behind it already", async () => {
    const before: Body = (s) =>
      Promise.all([
        s.sleep(HOUR, { name: "nap" }).then(() => "old way"),
        s.step("flaky", ({ attempt }) => (attempt === 0 ? fail() : 1), ONE_RETRY),
      ]);
    const after: Body = async (s) => {
      const other = s.step("flaky", ({ attempt }) => (attempt === 0 ? fail() : 1), ONE_RETRY);
      const isNew = await s.patched("no-nap");
      const nap = isNew ? s.step("instead", () => "new way") : s.sleep(HOUR, { name: "nap" }).then(() => "old way");
      return Promise.all([nap, other]);
    };
    const { rig, runId } = await started(before);
    const stopped = rig.app.worker.shutdown();
    await rig.settle();
    await stopped;
    await rig.another([new WorkflowScript({ name: "rough", run: after })]);
    await rig.advance(1_000);
    await rig.advance(HOUR);
    expect((await rig.end(runId)).value).toEqual(["old way", 1]);
  });
});

describe("A step", () => {
  it("is not begun inside of another one, nor is a wait of the workflow", async () => {
    for (const inside of [
      (s: WorkflowScriptContext) => s.step("inner", () => 1),
      (s: WorkflowScriptContext) => s.sleep(1),
    ]) {
      const { rig, runId } = await started((s) => s.step("outer", async () => void (await inside(s)), NO_RETRY));
      expect((await rig.end(runId)).state.lastError?.message).toContain("outside of its steps");
    }
  });

  it("cannot be made to wait or enqueue once it has ended", async () => {
    const codes: string[] = [];
    const note = defineTask("note", () => undefined);
    const script = new WorkflowScript({
      name: "rough",
      async run(s) {
        let leaked: WorkflowStepContext | undefined;
        await s.step("a", (context) => void (leaked = context));
        for (const call of [() => leaked?.sleep(HOUR), () => leaked?.awaitEvent("x"), () => leaked?.enqueue("note")]) {
          await call()?.catch((error: { code: string }) => void codes.push(error.code));
        }
        return "end";
      },
    });
    const rig = await aWorkflowRig([script], { tasks: [note] });
    const runId = await script.start(rig.app);
    await rig.settle();
    expect((await rig.end(runId)).value).toBe("end");
    expect(codes).toEqual(["STEM_CLOSED", "STEM_CLOSED", "STEM_CLOSED"]);
  });

  it("is refused data for a wait that cannot be stored, and nothing else with it", async () => {
    const { rig, runId } = await started(async (s) => {
      const codes: string[] = [];
      const bad = [{ data: { n: Number.NaN } }, { data: { text: "x".repeat(2_000_000) } }];
      for (const options of bad) await s.sleep(1, options).catch((error: { code: string }) => codes.push(error.code));
      return codes;
    });
    expect((await rig.end(runId)).value).toEqual(["STEM_PAYLOAD_NOT_SERIALIZABLE", "STEM_PAYLOAD_TOO_LARGE"]);
  });
});

describe("Children, tasks and steps that cannot be started", () => {
  it("leave a run that goes on without them, the same at each replay", async () => {
    const { rig, runId } = await started(async (s) => {
      await s.child("one", { name: "unknown" }, {}).catch(() => undefined);
      await s.tasks("two", [{ name: "no name" }]).catch(() => undefined);
      await s.step("three", () => 1, { retryPolicy: { maxRetries: -1 } }).catch(() => undefined);
      await s.sleep(1_000);
      return "without";
    });
    expect((await rig.store.get(runId))?.status).toBe("suspended");
    await rig.advance(1_000);
    expect((await rig.end(runId)).value).toBe("without");
  });
});

describe("Tasks of a step whose worker died between their status and their message", () => {
  it("are enqueued by the next one", async () => {
    const note = defineTask("note", () => "noted");
    const script = new WorkflowScript({ name: "rough", run: (s) => s.tasks("all", [{ name: "note" }]) });
    const rig = await aWorkflowRig([script], { tasks: [note] });
    const { publishAll, publish } = rig.broker;
    let isAway = false;
    const unlessAway = <T>(call: (...given: never[]) => Promise<T>) =>
      ((...given: never[]) => (isAway ? new Promise(() => undefined) : call.apply(rig.broker, given))) as never;
    rig.broker.publishAll = unlessAway(publishAll as never);
    rig.broker.publish = unlessAway(publish as never);
    const runId = await script.start(rig.app);
    isAway = true;
    await rig.settle();
    expect(await rig.app.backend.get(`${runId}/all/0`)).toMatchObject({ state: "queued" });
    const gone = rig.app.worker.shutdown({ mode: "hard" });
    isAway = false;
    await rig.advance(60_000);
    await gone;
    await rig.another([script], { tasks: [note] });
    for (let i = 0; i < 10; i += 1) await rig.advance(10_000);
    expect((await rig.end(runId)).value).toEqual([{ taskId: `${runId}/all/0`, status: "succeeded", value: "noted" }]);
  });
});
