import { afterEach, describe, expect, it, vi } from "vitest";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import { openTestQueue } from "../../../adapters/entry/testing-node.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { describeTestQueueContract } from "../../contract/testing/index.ts";

const STORES = ["sqlite", "memory"] as const;

for (const store of STORES) {
  describeTestQueueContract(`a queue under test, ${store}`, (options) => openTestQueue({ store, ...options }));
}

describe.each(STORES)("a queue under test under fake timers, %s", (store) => {
  afterEach(() => vi.useRealTimers());

  it("works as ever, and gives up in real time", async () => {
    vi.useFakeTimers();
    const hello = defineTask("hello", async (_context, { name }: { name: string }) => `Hello ${name}`);
    const hanging = defineTask("hanging", () => new Promise<void>(() => undefined));
    await using queue = await openTestQueue({ tasks: [hello], store });
    expect(await queue.run(hello, { name: "world" })).toBe("Hello world");
    await hello.enqueue(queue.stem, { name: "late" }, { enqueueOptions: { countdown: 1_000 } });
    expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 1 });
    await using other = await openTestQueue({ tasks: [hanging], store, patience: 400 });
    await hanging.enqueue(other.stem);
    await expect(other.drain()).rejects.toMatchObject({ code: "STEM_NOT_DRAINED" });
  });
});

describe("the default", () => {
  it("is SQLite", async () => {
    await using queue = await openTestQueue({ tasks: [] });
    expect(queue.broker).toBeInstanceOf(SqliteBroker);
    expect(queue.broker.constructor).toBe(SqliteBroker);
    expect(queue.broker.settlerFor(queue.backend)).toBeDefined();
  });
});
