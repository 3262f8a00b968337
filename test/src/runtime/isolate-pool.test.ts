import { describe, expect, it } from "vitest";
import { IsolateError, InvalidOptionError, UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { InMemoryBroker } from "../../../adapters/memory/index.ts";
import { defineIsolatedTask } from "../../../src/runtime/define-isolated-task.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { TaskRegistry } from "../../../src/runtime/task-registry.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import { FakeIsolates } from "./fake-isolates.ts";
import { aGatedFunction, anIsolateRig, MODULE } from "./isolate-rig.ts";
import { aWorkerRig } from "./worker-rig.ts";

describe("The threads of a worker", () => {
  it("start when they are needed, at most one for each slot, and are used again", async () => {
    const { gate, contexts, work } = aGatedFunction();
    const { worker, stem, settle, isolates } = anIsolateRig(work, {}, { concurrency: 2 });
    await worker.start();
    await settle();
    expect(isolates.threads).toHaveLength(0);
    await stem.enqueue("demo.a");
    await settle();
    expect(isolates.threads).toHaveLength(1);
    await stem.enqueueAll([1, 2, 3, 4].map(() => ({ name: "demo.a" })));
    await settle();
    expect(isolates.threads).toHaveLength(2);
    gate.open();
    await settle();

    expect(contexts).toHaveLength(5);
    expect(isolates.living).toEqual([true, true]);
  });

  it("keep the process alive only while they run something", async () => {
    const { gate, work } = aGatedFunction();
    const { worker, stem, settle, isolates } = anIsolateRig(work);
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    expect(isolates.threads[0]?.isKept).toBe(true);
    gate.open();
    await settle();

    expect(isolates.threads[0]?.isKept).toBe(false);
  });

  it("are replaced after so many runs", async () => {
    const lifecycle = { maxTasksPerIsolate: 2 };
    const { worker, stem, settle, isolates } = anIsolateRig(() => null, {}, { lifecycle, concurrency: 1 });
    await worker.start();
    for (let run = 0; run < 5; run += 1) {
      await stem.enqueue("demo.a");
      await settle();
    }

    expect(isolates.living).toEqual([false, false, true]);
  });

  it("are replaced after they ended while nothing ran in them", async () => {
    const { worker, stem, settle, isolates } = anIsolateRig(() => null, {}, { concurrency: 1 });
    await worker.start();
    await stem.enqueue("demo.a");
    await settle();
    isolates.threads[0]?.exit({ code: 7 });
    const id = await stem.enqueue("demo.a");
    await settle();

    expect((await stem.waitForTask(id)).status).toMatchObject({ state: "succeeded" });
    expect(isolates.living).toEqual([false, true]);
  });

  it("have the memory limit of the task that they run, and stay when there is room", async () => {
    const isolates = new FakeIsolates({ [MODULE]: { work: () => null } });
    const small = defineIsolatedTask("demo.small", MODULE, { exportName: "work", maxMemoryMb: 32 });
    const large = defineIsolatedTask("demo.large", MODULE, { exportName: "work", maxMemoryMb: 512 });
    const { worker, stem, settle } = aWorkerRig([small, large], { isolates, concurrency: 2 });
    await worker.start();
    for (const name of ["demo.small", "demo.large", "demo.small", "demo.large"]) {
      await stem.enqueue(name);
      await settle();
    }
    expect(isolates.threads.map(({ limits }) => limits)).toEqual([{ maxMemoryMb: 32 }, { maxMemoryMb: 512 }]);
    await worker.shutdown();

    expect(isolates.living).toEqual([false, false]);
  });

  it("give way, the longest idle first, when all are of another kind", async () => {
    const isolates = new FakeIsolates({ [MODULE]: { work: () => null } });
    const tasks = [16, 32, 64].map((maxMemoryMb) =>
      defineIsolatedTask(`demo.of-${maxMemoryMb}`, MODULE, { exportName: "work", maxMemoryMb }),
    );
    const { worker, stem, settle } = aWorkerRig(tasks, { isolates, concurrency: 2 });
    await worker.start();
    for (const { name } of tasks) {
      await stem.enqueue(name);
      await settle();
    }

    expect(isolates.living).toEqual([false, true, true]);
    await worker.shutdown();
  });
});

describe("A run whose thread fails it", () => {
  it.each([
    ["exits", { code: 3 }, /ended its thread with exit code 3\./],
    ["exits without a fault", { code: 0 }, /ended its thread with exit code 0\./],
    ["dies of an error", { code: 1, fault: new RangeError("lost") }, /by an uncaught RangeError: lost\./],
    ["dies of a text", { code: 1, fault: "lost" }, /by an uncaught string: lost\./],
    ["has no memory", { code: 1, fault: new Error("heap"), isOutOfMemory: true }, /memory; its limit is 64 MiB\./],
  ])("fails with an IsolateError when it %s, and is retried in another thread", async (_how, exit, message) => {
    const { gate, contexts, work } = aGatedFunction();
    const { worker, stem, clock, backend, isolates, settle } = anIsolateRig(work, { maxMemoryMb: 64 });
    await worker.start();
    const id = await stem.enqueue("demo.a", { options: { maxRetries: 1 } });
    await settle();
    isolates.threads[0]?.exit(exit);
    await settle();

    expect(await backend.get(id)).toMatchObject({
      state: "retried",
      error: { type: "IsolateError", message: expect.stringMatching(message) as string, retryable: true },
    });
    await clock.advance(1_000);
    gate.open();
    await settle();
    expect((await stem.waitForTask(id)).value).toBe("late");
    expect(contexts).toHaveLength(2);
    expect(isolates.living).toEqual([false, true]);
  });

  it("tells the fault's stack with its own", async () => {
    const { work } = aGatedFunction();
    const { worker, stem, backend, isolates, settle } = anIsolateRig(work);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    isolates.threads[0]?.exit({ code: 1, fault: new RangeError("lost") });
    await settle();

    expect((await backend.get(id))?.error?.stack).toMatch(/^IsolateError[\s\S]*Caused by: RangeError: lost/);
  });

  it.each([
    [
      "a module that is not there",
      "file:///none.js",
      "work",
      /could not be loaded from file:\/\/\/none.js: there is no/,
    ],
    ["an export that is not there", MODULE, "other", /cannot be called: export "other" of file:\/\/\/work.js is undef/],
    ["an export that is no function", MODULE, "size", /export "size" of file:\/\/\/work.js is 7/],
  ])("fails with an IsolateError for %s, and leaves no thread that knows it", async (_what, module, name, message) => {
    const isolates = new FakeIsolates({ [MODULE]: { size: 7 } });
    const task = defineIsolatedTask("demo.a", module, { exportName: name });
    const { worker, stem, backend, settle } = aWorkerRig([task], { isolates });
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();

    expect((await backend.get(id))?.error).toMatchObject({ type: "IsolateError", message });
    expect(isolates.living).toEqual([false]);
  });

  it("fails with an IsolateError when no thread can be started, and the next one may be", async () => {
    const { worker, stem, backend, isolates, settle } = anIsolateRig(() => "done");
    isolates.failure = new Error("too many threads");
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    const next = await stem.enqueue("demo.a");
    await settle();

    const { error } = (await backend.get(id)) ?? {};
    expect(error).toMatchObject({ type: "IsolateError", message: expect.stringMatching(/got no thread: too many/) });
    expect((await stem.waitForTask(next)).value).toBe("done");
  });

  it("takes no notice of messages that its handler makes up", async () => {
    const { gate, work } = aGatedFunction();
    const { worker, stem, isolates, settle, types } = anIsolateRig(work);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    for (const message of [null, undefined, 7, "text", {}, { type: "succeeded", run: 0, json: "1" }, { run: 1 }]) {
      isolates.threads[0]?.say(message);
    }
    await settle();
    gate.open();
    await settle();

    expect((await stem.waitForTask(id)).value).toBe("late");
    expect(types()).toEqual(["started", "completed"]);
  });
});

describe("A handler that makes up a message for its own run", () => {
  it.each([
    { type: "progress", run: 1, fraction: 7 },
    { type: "succeeded", run: 1, json: "{" },
    { type: "failed", run: 1 },
  ])("fails it with %j, and ends its thread", async (message) => {
    const { work } = aGatedFunction();
    const { worker, stem, backend, isolates, settle } = anIsolateRig(work);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    isolates.threads[0]?.say(message);
    await settle();

    const { error } = (await backend.get(id)) ?? {};
    expect(error).toMatchObject({ type: "IsolateError", message: expect.stringMatching(/sent a message that cannot/) });
    expect(isolates.living).toEqual([false]);
  });
});

describe("Isolated tasks", () => {
  const task = defineIsolatedTask("demo.a", MODULE);

  it("are refused by a worker in a runtime without threads, before it does anything", () => {
    const broker = new InMemoryBroker();

    expect(() => new Worker({ broker, tasks: [task] })).toThrow(UnsupportedEnvironmentError);
    expect(() => new Worker({ broker, tasks: [task] })).toThrow(/threads, which the isolated task "demo.a" needs/);
    expect(() => new Worker({ broker, tasks: [defineTask("demo.b", () => null)] })).not.toThrow();
  });

  it("fail in such a runtime when they are registered later", async () => {
    const registry = new TaskRegistry([defineTask("demo.b", () => null)]);
    const { worker, stem, backend, settle } = aWorkerRig([], { registry });
    registry.register(task);
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();

    expect((await backend.get(id))?.error).toMatchObject({ type: "UnsupportedEnvironmentError" });
  });

  it.each([
    ["no host", { isolates: {} as never }],
    ["a limit of no runs", { lifecycle: { maxTasksPerIsolate: 0 } }],
    ["a limit that is no number", { lifecycle: { maxTasksPerIsolate: "2" as never } }],
  ])("are refused by a worker with %s", (_what, options) => {
    const broker = new InMemoryBroker();

    expect(() => new Worker({ broker, tasks: [], ...options })).toThrow(InvalidOptionError);
  });

  it("can be called by hand, in the caller's own thread", async () => {
    const module = "data:text/javascript,export default (context, args) => args.n + 1; export const size = 7";
    const byHand = defineIsolatedTask<{ n: number }, number>("demo.a", module);
    const wrong = defineIsolatedTask("demo.a", module, { exportName: "size" });

    expect(await byHand.run({} as never, { n: 1 })).toBe(2);
    await expect(wrong.run({} as never, {})).rejects.toThrow(IsolateError);
  });
});
