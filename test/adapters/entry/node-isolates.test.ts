import { describe, expect, it, onTestFinished } from "vitest";
import {
  defineIsolatedTask,
  InMemoryBroker,
  InMemoryResultBackend,
  InMemoryRevokeStore,
  type IsolatedTaskOptions,
  Stem,
  type TaskResult,
  Worker,
  type WorkerEvent,
  type WorkerOptions,
} from "../../../adapters/entry/node.ts";

const MODULE = new URL("../../../dist/test/torture/programs/isolated-handlers.js", import.meta.url);

const FUNCTIONS = [
  "double",
  "thread",
  "loop",
  "politeLoop",
  "signalledLoop",
  "exit",
  "fillHeap",
  "rejectElsewhere",
  "throwElsewhere",
  "throwText",
  "throwError",
  "retryOnce",
  "parent",
  "refusedChild",
  "notJson",
] as const;

/** A started worker that knows all functions as `isolated.<name>`, on the real clock, and everything around it. */
async function aWorker(taskOptions: IsolatedTaskOptions = {}, options: Partial<WorkerOptions> = {}) {
  const broker = new InMemoryBroker();
  const backend = new InMemoryResultBackend();
  const revokeStore = new InMemoryRevokeStore();
  const tasks = FUNCTIONS.map((exportName) =>
    defineIsolatedTask(`isolated.${exportName}`, MODULE, { exportName, ...taskOptions }),
  );
  const stem = new Stem({ broker, backend, tasks });
  const worker = new Worker({ broker, backend, revokeStore, tasks, concurrency: 1, ...options });
  const events: WorkerEvent[] = [];
  for (const type of ["started", "progress", "timeout", "completed", "failed", "retried", "revoked"] as const) {
    worker.on(type, (event) => events.push(event));
  }
  await worker.start();
  onTestFinished(async () => {
    await worker.shutdown({ mode: "hard" });
    await stem.close();
    await broker.close();
    await backend.close();
    await revokeStore.close();
  });
  const run = async (name: (typeof FUNCTIONS)[number], args = {}): Promise<TaskResult> => {
    const result = await stem.waitForTask(await stem.enqueue(`isolated.${name}`, { args }));
    if (result === null) throw new Error("Nothing was seen of the task.");
    return result;
  };
  const seen = (type: WorkerEvent["type"]): Promise<unknown> =>
    new Promise((resolve) => worker.on(type as "progress", resolve));
  return { stem, worker, broker, backend, revokeStore, events, run, seen };
}

describe("Node's threads", () => {
  it("run a task's function, one after the other in the same thread, and not in this one", async () => {
    const { run } = await aWorker();

    expect((await run("double", { n: 21 })).value).toBe(42);
    const first = (await run("thread")).value;
    expect((await run("thread")).value).toBe(first);
    expect(first).not.toBe(0);
  });

  it("are ended by a hard limit in the middle of an endless loop, while this one goes on", async () => {
    const { run, stem, events, seen } = await aWorker();
    const failed = seen("failed");
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const id = await stem.enqueue("isolated.loop", { enqueueOptions: { timeLimit: 200 } });
    const result = await stem.waitForTask(id);
    clearImmediate(next);
    await failed;

    expect(result.status).toMatchObject({ state: "failed", error: { type: "TimeoutError" } });
    expect(turns).toBeGreaterThan(1);
    expect(events.map(({ type }) => type)).toEqual(["started", "timeout", "failed"]);
    expect((await run("double", { n: 1 })).value).toBe(2);
  });

  it.each([
    ["exit", { code: 3 }, /ended its thread with exit code 3\./],
    ["exit", { code: 0 }, /ended its thread with exit code 0\./],
    ["fillHeap", {}, /ran out of memory; its limit is 32 MiB\./],
    ["rejectElsewhere", {}, /ended its thread by an uncaught RangeError: nobody caught this\./],
    ["throwElsewhere", {}, /ended its thread by an uncaught TypeError: nobody caught this\./],
  ] as const)("contain what %s %j does to them", async (name, args, message) => {
    const { run } = await aWorker({ maxMemoryMb: 32 });
    const { status } = await run(name, args);

    expect(status?.error).toMatchObject({ type: "IsolateError", meta: { code: "STEM_ISOLATE" } });
    expect(status?.error?.message).toMatch(message);
    expect((await run("double", { n: 1 })).value).toBe(2);
  });

  it("tell of a thrown text, of an error with its stack and cause, and of a result that is not JSON", async () => {
    const { run } = await aWorker();

    const text = (await run("throwText")).status?.error;
    expect(text).toEqual({ type: "string", message: "only a text", retryable: false, meta: {} });
    const error = (await run("throwError")).status?.error;
    expect(error).toMatchObject({ type: "RangeError", message: "too far", meta: { code: "E_FAR" } });
    expect(error?.stack).toMatch(/^RangeError: too far\n.*throwError[\s\S]*\nCaused by: Error: the reason/);
    const notJson = (await run("notJson")).status?.error;
    expect(notJson).toMatchObject({ type: "PayloadNotSerializableError" });
    expect(notJson?.message).toContain("result.at[0]");
  });

  it("pass on retries, progress, children and typed errors", async () => {
    const { run, stem, backend, events } = await aWorker();

    expect((await run("retryOnce")).value).toBe(1);
    const { status, value: child } = await run("parent", { n: 4 });
    expect((await stem.waitForTask(String(child))).value).toBe(8);
    expect((await backend.get(String(child)))?.meta).toMatchObject({ "stem.parentTaskId": status?.id });
    expect(events.find(({ type }) => type === "progress")).toMatchObject({ fraction: 0.5, data: { half: true } });
    expect((await run("refusedChild")).value).toBe("InvalidNameError InvalidNameError");
  });

  it("tell a loop that is revoked at its checkpoint", async () => {
    const { stem, revokeStore, seen, events } = await aWorker();
    const started = seen("progress");
    const revoked = seen("revoked");
    const id = await stem.enqueue("isolated.politeLoop");
    await started;
    const entry = { namespace: "stem", taskId: id, version: 1, issuedAt: new Date(), terminate: true };
    await revokeStore.upsertAll([entry]);

    expect((await stem.waitForTask(id)).status).toMatchObject({ state: "cancelled" });
    await revoked;
    expect(events.map(({ type }) => type)).toEqual(["started", "progress", "revoked"]);
  });

  it("tell a loop by its signal that the soft limit has passed", async () => {
    const { run } = await aWorker({ softTimeLimit: 50 });

    expect((await run("signalledLoop")).value).toBe("TimeoutError");
  });

  it("are ended by a hard shutdown, which gives the message back", async () => {
    const { stem, worker, broker, seen } = await aWorker();
    const started = seen("started");
    await stem.enqueue("isolated.loop");
    await started;
    await worker.shutdown({ mode: "hard" });

    expect(await broker.pendingCount("default")).toBe(1);
  });

  it("load a module by a data URL, by its default export", async () => {
    const { broker, backend } = await aWorker({}, { queue: "others" });
    const source = "data:text/javascript,export default (context, args) => [context.name, args.n]";
    const task = defineIsolatedTask<{ n: number }, [string, number]>("data.default", source);
    await using stem = new Stem({ broker, backend, tasks: [task] });
    await using worker = new Worker({ broker, backend, tasks: [task] });
    await worker.start();
    const result = await task.enqueueAndWait(stem, { n: 5 });

    expect(result?.value).toEqual(["data.default", 5]);
  });
});
