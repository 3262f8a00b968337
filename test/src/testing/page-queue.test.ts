import { runInThisContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { openTestQueue } from "../../../adapters/entry/testing-node.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { type EvaluatingPage, exposeQueue, queueIn } from "../../../src/testing/index.ts";
import { expectError } from "../../contract/support.ts";

const hello = defineTask("hello", async (_context, { name }: { name: string }) => `Hello ${name}`);
const broken = defineTask("broken", async () => {
  throw new RangeError("it is broken");
});
const SOON = { timeout: 50 };

/** As a page does it: the function arrives as text, without anything of its module, and values as JSON. */
function pageOf(onCall: () => void = () => undefined): EvaluatingPage {
  return {
    async evaluate(run, call) {
      onCall();
      const there = runInThisContext(`(${run.toString()})`) as (arg: unknown) => Promise<unknown>;
      const answer = await there(JSON.parse(JSON.stringify(call)));
      return answer === undefined ? undefined : (JSON.parse(JSON.stringify(answer)) as unknown);
    },
  };
}

describe("testing/page-queue", () => {
  const cleanUps: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  });

  async function open(mode: "manual" | "live") {
    const queue = await openTestQueue({ tasks: [hello, broken], mode });
    cleanUps.push(() => queue.close());
    return queue;
  }

  it("tells results, the stored error of a failure, and counts", async () => {
    const queue = await open("live");
    cleanUps.push(exposeQueue(queue));
    const seen = queueIn(pageOf());
    expect(await seen.counts()).toEqual({ ready: 0, running: 0, deadLettered: 0 });
    const [fine, failing] = [await hello.enqueue(queue.stem, { name: "page" }), await broken.enqueue(queue.stem)];
    expect(await seen.result(fine)).toBe("Hello page");
    await expect(seen.result(failing)).rejects.toMatchObject({
      code: "STEM_TASK_FAILED",
      message: expect.stringContaining("RangeError: it is broken") as string,
    });
    expect(await seen.idle()).toEqual({ ready: 0, running: 0, deadLettered: 1 });
  });

  it("waits for what is ready, and says so when it does not come", async () => {
    const queue = await open("manual");
    cleanUps.push(exposeQueue(queue, "other"));
    const id = await hello.enqueue(queue.stem, { name: "page" });
    const seen = queueIn(pageOf(), "other");
    expect(await seen.counts()).toEqual({ ready: 1, running: 0, deadLettered: 0 });
    await expect(seen.idle(SOON)).rejects.toThrow('The work of the queue "other" in the page did not finish');
    await expect(seen.result(id, SOON)).rejects.toThrow('Task "task-1" in the page did not finish within 50 ms');
    await expectError(() => seen.result("task-9", { timeout: 0 }), "STEM_TIMEOUT");
    const idle = seen.idle();
    await queue.drain();
    expect(await idle).toMatchObject({ ready: 0 });
  });

  it("waits for the page to expose its queue, and sees what it exposes last", async () => {
    const queue = await open("manual");
    let calls = 0;
    const seen = queueIn(
      pageOf(() => {
        calls += 1;
        if (calls === 3) cleanUps.push(exposeQueue(queue));
      }),
    );
    expect(await seen.counts()).toMatchObject({ ready: 0 });
    expect(calls).toBe(3);
    const again = await open("manual");
    await hello.enqueue(again.stem, { name: "again" });
    const hide = exposeQueue(again);
    cleanUps[1]?.();
    expect(await seen.counts()).toMatchObject({ ready: 1 });
    hide();
    await expect(seen.counts(SOON)).rejects.toThrow("The exposeQueue of the page did not finish within 50 ms");
  });

  it("counts the queues it is told of", async () => {
    const queue = await open("manual");
    cleanUps.push(
      exposeQueue({ stem: queue.stem, broker: queue.broker, backend: queue.backend, queues: ["mail", "x"] }),
    );
    await hello.enqueue(queue.stem, { name: "a" });
    await hello.enqueue(queue.stem, { name: "b" }, { enqueueOptions: { queue: "mail" } });
    expect(await queueIn(pageOf()).counts()).toEqual({ ready: 1, running: 0, deadLettered: 0 });
  });

  it("refuses what is not right", async () => {
    const queue = await open("manual");
    await expectError(() => exposeQueue({ ...queue, broker: undefined } as never), "STEM_INVALID_OPTION");
    await expectError(() => exposeQueue({ stem: queue.stem, queues: "mail" } as never), "STEM_INVALID_OPTION");
    await expectError(() => queueIn(pageOf()).idle({ timeout: -1 }), "STEM_INVALID_OPTION");
    await expectError(() => queueIn(pageOf()).counts({ limit: 1 } as never), "STEM_INVALID_OPTION");
  });
});
