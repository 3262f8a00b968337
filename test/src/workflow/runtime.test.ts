import { describe, expect, it } from "vitest";
import { Flow } from "../../../src/workflow/flow.ts";
import { WorkflowScript } from "../../../src/workflow/workflow-script.ts";
import { aWorkflowRig, Mishap } from "./workflow-rig.ts";

const quick = new Flow<string>({ name: "quick", build: (steps) => steps.step("only", () => "done") });

describe("Starting runs", () => {
  it("refuses unknown workflows, taken ids and bad options, and stores nothing", async () => {
    const rig = await aWorkflowRig([quick]);
    const refused = async (start: () => Promise<unknown>, code: string): Promise<void> => {
      await expect(start()).rejects.toMatchObject({ code });
    };
    await refused(() => rig.app.startWorkflow("unknown"), "STEM_UNKNOWN_WORKFLOW");
    await refused(() => rig.app.startWorkflow("quick", { runId: "" }), "STEM_INVALID_NAME");
    await refused(() => rig.app.startWorkflow("quick", { runId: "a/b" }), "STEM_INVALID_NAME");
    await refused(() => rig.app.startWorkflow("quick", { runId: "x".repeat(101) }), "STEM_INVALID_NAME");
    await refused(() => rig.app.startWorkflow("quick", { prams: {} } as never), "STEM_INVALID_OPTION");
    await refused(() => rig.app.startWorkflow("quick", { params: { a: Number.NaN } }), "STEM_PAYLOAD_NOT_SERIALIZABLE");
    await refused(
      () => rig.app.startWorkflow("quick", { params: { a: 1n } as never }),
      "STEM_PAYLOAD_NOT_SERIALIZABLE",
    );
    await refused(
      () => rig.app.startWorkflow("quick", { cancellationPolicy: { maxRunDuration: -1 } }),
      "STEM_INVALID_OPTION",
    );
    await refused(() => rig.app.startWorkflow("quick", { ttl: Number.POSITIVE_INFINITY }), "STEM_INVALID_OPTION");
    expect((await rig.app.listRunViews()).runs).toEqual([]);
    await rig.app.startWorkflow("quick", { runId: "mine" });
    await refused(() => rig.app.startWorkflow("quick", { runId: "mine" }), "STEM_DUPLICATE_RUN");
  });

  it("refuses two definitions of one name and version", async () => {
    const other = new Flow({ name: "quick", build: (steps) => steps.step("other", () => 1) });
    await expect(aWorkflowRig([quick, other])).rejects.toMatchObject({ code: "STEM_DUPLICATE_WORKFLOW" });
  });

  it("says what is registered, with the steps of flows", async () => {
    const rig = await aWorkflowRig([quick]);
    const [definition] = rig.app.workflowManifest;
    expect(definition).toMatchObject({
      name: "quick",
      version: 1,
      kind: "flow",
      steps: [{ name: "only", kind: "task" }],
    });
    expect(definition?.stableId).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe("Waiting for a run", () => {
  it("ends with the run, at the timeout, or with null for none", async () => {
    const nap = new WorkflowScript({ name: "nap", run: (s) => s.sleep(5_000) });
    const rig = await aWorkflowRig([nap]);
    expect(await rig.app.waitForCompletion("nobody")).toBeNull();
    const runId = await nap.start(rig.app);
    const ended = nap.waitFor(rig.app, runId);
    const early = nap.waitFor(rig.app, runId, { timeout: 1_000 });
    await rig.advance(1_000);
    expect(await early).toMatchObject({ timedOut: true, status: "suspended" });
    await rig.advance(4_000);
    expect(await ended).toMatchObject({ timedOut: false, status: "completed", value: { kind: "timer" } });
    expect((await early)?.unwrap).toThrow(expect.objectContaining({ code: "STEM_WORKFLOW_FAILED" }));
  });
});

describe("Two runtimes on one store", () => {
  it("leave a run whose version they do not know to one that does", async () => {
    const rig = await aWorkflowRig([]);
    await rig.store.createRun({
      runId: "r",
      workflow: "quick",
      version: 1,
      params: {},
      queues: { orchestrationQueue: "workflow", continuationQueue: "workflow", executionQueue: "default" },
    });
    const stopped = rig.app.worker.shutdown();
    await rig.settle();
    await stopped;
    const keeper = await rig.another([]);
    await rig.advance(10_000);
    expect(await rig.store.get("r")).toMatchObject({ status: "running", lastError: { type: "UnknownWorkflowError" } });
    await keeper.worker.shutdown();
    await rig.another([quick]);
    await rig.advance(20_000);
    expect((await rig.end("r")).value).toBe("done");
  });

  it("have a run go on elsewhere when its worker is gone, and keep its late words out", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const code = (onStep: () => unknown): WorkflowScript =>
      new WorkflowScript({ name: "handover", run: (s) => s.step("a", onStep) });
    const rig = await aWorkflowRig([code(() => held.then(() => "late"))]);
    const runId = await rig.app.startWorkflow("handover");
    await rig.settle();
    expect((await rig.store.get(runId))?.ownerId).toBe("app-1");
    const gone = rig.app.worker.shutdown({ mode: "hard" });
    await rig.settle();
    await rig.another([code(() => "second")]);
    await rig.settle();
    await gone;
    release();
    await rig.settle();
    expect((await rig.end(runId)).value).toBe("second");
  });
});

describe("A runtime whose stores fail now and then", () => {
  it("publishes what it could not publish, later", async () => {
    const rig = await aWorkflowRig([quick], { runtime: { recoveryInterval: 10_000 } });
    const { publishAll } = rig.broker;
    rig.broker.publishAll = () => Promise.reject(new Mishap("broker is away"));
    const runId = await quick.start(rig.app);
    await rig.settle();
    expect(await rig.store.pendingContinuations(10)).toHaveLength(1);
    rig.broker.publishAll = publishAll;
    await rig.advance(10_000);
    expect((await rig.end(runId)).value).toBe("done");
    expect(await rig.store.pendingContinuations(10)).toEqual([]);
  });

  it("finds runs whose message was lost", async () => {
    const rig = await aWorkflowRig([quick], { runtime: { recoveryGrace: 60_000, recoveryInterval: 10_000 } });
    const { publishAll } = rig.broker;
    rig.broker.publishAll = async (envelopes) => envelopes.map(({ id }) => ({ id, outcome: "stored" }));
    const runId = await quick.start(rig.app);
    await rig.settle();
    rig.broker.publishAll = publishAll;
    await rig.advance(50_000);
    expect((await rig.store.get(runId))?.status).toBe("running");
    for (let i = 0; i < 4; i += 1) await rig.advance(10_000);
    expect((await rig.end(runId)).value).toBe("done");
  });

  it("tries a step again that could not be saved, without taking it for a failure of the step", async () => {
    let runs = 0;
    const script = new WorkflowScript({ name: "saving", run: (s) => s.step("a", () => (runs += 1)) });
    const rig = await aWorkflowRig([script]);
    const { store } = rig;
    const saveStep = store.saveStep.bind(store);
    store.saveStep = () => Promise.reject(new Mishap("store is away"));
    const runId = await script.start(rig.app);
    await rig.settle();
    store.saveStep = saveStep;
    await rig.advance(10_000);
    expect((await rig.end(runId)).value).toBe(2);
  });

  it("fails a step whose result is too large to be stored", async () => {
    const script = new WorkflowScript({
      name: "large",
      run: (s) => s.step("a", () => "x".repeat(2_000_000)).catch((error: Error) => error.message),
    });
    const rig = await aWorkflowRig([script]);
    const runId = await script.start(rig.app);
    await rig.settle();
    expect((await rig.end(runId)).value).toContain("PayloadTooLargeError");
  });
});
