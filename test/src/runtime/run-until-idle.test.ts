import { describe, expect, it } from "vitest";
import { TimeoutError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aGate, aWorkerRig, RETRY_MS } from "./worker-rig.ts";

const good = defineTask("demo.good", async () => 1);
const bad = defineTask("demo.bad", async (): Promise<void> => {
  throw new Error("boom");
});

describe("Worker.runUntilIdle", () => {
  it("runs what is there, shuts down and says how it ended", async () => {
    const { worker, stem, broker } = aWorkerRig([good, bad]);
    await stem.enqueueAll([
      ...Array.from({ length: 25 }, () => ({ name: "demo.good" })),
      { name: "demo.bad" },
      { name: "demo.bad", options: { maxRetries: 1 } },
    ]);

    expect(await worker.runUntilIdle()).toEqual({ completed: 25, failed: 1, retried: 1 });
    expect(await broker.pendingCount("default")).toBe(0);
    await expect(worker.start()).rejects.toMatchObject({ code: "STEM_CLOSED" });
  });

  it("ends at once with nothing to do", async () => {
    const { worker } = aWorkerRig([good]);

    expect(await worker.runUntilIdle()).toEqual({ completed: 0, failed: 0, retried: 0 });
  });

  it("runs what tasks enqueue, and retries that are due", async () => {
    let runs = 0;
    const tree = defineTask("demo.tree", async (context, args: { depth: number }) => {
      if (args.depth === 0) return;
      for (let n = 0; n < 2; n += 1) await context.enqueue("demo.tree", { args: { depth: args.depth - 1 } });
    });
    const flaky = defineTask("demo.flaky", async (context) => {
      runs += 1;
      if (runs < 3) context.retry({ countdown: 0, maxRetries: 5 });
    });
    const { worker, stem } = aWorkerRig([tree, flaky]);
    await stem.enqueue("demo.tree", { args: { depth: 3 } });
    await stem.enqueue("demo.flaky");

    expect(await worker.runUntilIdle()).toEqual({ completed: 16, failed: 0, retried: 2 });
  });

  it("leaves messages that are delayed", async () => {
    const { worker, stem, clock, broker } = aWorkerRig([good]);
    await stem.enqueue("demo.good", { enqueueOptions: { countdown: RETRY_MS } });

    expect(await worker.runUntilIdle()).toMatchObject({ completed: 0 });
    await clock.advance(RETRY_MS);
    expect(await broker.pendingCount("default")).toBe(1);
  });

  it("does not wait for what others hold", async () => {
    const { worker, stem, broker, clock } = aWorkerRig([good]);
    await stem.enqueueAll([{ name: "demo.good" }, { name: "demo.good" }]);
    const consumer = broker.consume({ queues: ["default"] });
    await consumer.next();
    const idle = worker.runUntilIdle();
    await clock.advance(40);

    expect(await idle).toMatchObject({ completed: 1 });
    expect(await broker.inflightCount("default")).toBe(1);
    await consumer.return();
  });

  it("goes on when messages arrive while it looks whether there are any", async () => {
    const [gate, looked] = [aGate(), aGate()];
    const slow = defineTask("demo.slow", () => gate.passed);
    const { worker, stem, broker, settle } = aWorkerRig([slow], { concurrency: 1 });
    const pendingCount = broker.pendingCount.bind(broker);
    broker.pendingCount = async (queue) => {
      broker.pendingCount = pendingCount;
      const stale = await pendingCount(queue);
      await stem.enqueueAll(Array.from({ length: 3 }, () => ({ name: "demo.slow" })));
      await settle();
      looked.open();
      return stale;
    };
    const idle = worker.runUntilIdle();
    await looked.passed;
    await settle();
    gate.open();

    expect(await idle).toMatchObject({ completed: 3 });
  });

  it("waits for running tasks", async () => {
    const gate = aGate();
    const slow = defineTask("demo.slow", () => gate.passed);
    const { worker, stem, clock } = aWorkerRig([slow]);
    await stem.enqueue("demo.slow");
    let isIdle = false;
    const idle = worker.runUntilIdle().finally(() => (isIdle = true));
    await clock.advance(100_000);
    expect(isIdle).toBe(false);
    gate.open();

    expect(await idle).toMatchObject({ completed: 1 });
  });

  it("gives up at the timeout, softly", async () => {
    const endless = defineTask("demo.endless", async ({ signal }) => {
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    });
    const { worker, stem, clock, broker } = aWorkerRig([endless], { maxDeliveries: 1 });
    await stem.enqueue("demo.endless");
    const idle = expect(worker.runUntilIdle({ timeout: 5_000 })).rejects.toThrow(TimeoutError);
    await clock.advance(5_000);
    await idle;

    expect(await broker.pendingCount("default")).toBe(1);
  });

  it("counts only what it ran itself, of a worker that was started before", async () => {
    const { worker, stem, settle } = aWorkerRig([good]);
    await worker.start();
    await stem.enqueue("demo.good");
    await settle();
    await stem.enqueueAll([{ name: "demo.good" }, { name: "demo.good" }]);

    expect(await worker.runUntilIdle()).toMatchObject({ completed: 2 });
  });

  it("ends with a shutdown from elsewhere", async () => {
    const gate = aGate();
    const slow = defineTask("demo.slow", () => gate.passed);
    const { worker, stem, settle } = aWorkerRig([slow]);
    await stem.enqueue("demo.slow");
    const idle = worker.runUntilIdle();
    await settle();
    await worker.shutdown({ mode: "hard" });

    expect(await idle).toEqual({ completed: 0, failed: 0, retried: 0 });
    gate.open();
  });

  it.each([{ timeout: -1 }, { timeout: "1" }, { timeoutMs: 1 }, null])("refuses %j", async (options) => {
    const { worker } = aWorkerRig([good]);

    await expect(worker.runUntilIdle(options as never)).rejects.toMatchObject({ code: "STEM_INVALID_OPTION" });
  });
});
