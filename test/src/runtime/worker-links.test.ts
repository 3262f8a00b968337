import { describe, expect, it } from "vitest";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import type { EnqueueOptions, TaskEnqueueOptions } from "../../../src/contracts/task-enqueuer.ts";
import type { Envelope } from "../../../src/core/envelope.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aWorkerRig, type RigOptions, RETRY_MS, START } from "./worker-rig.ts";

const TASKS = [
  defineTask("demo.good", async () => 42),
  defineTask("demo.bad", async (): Promise<void> => {
    throw new Error("boom");
  }),
  defineTask("demo.again", async (context): Promise<void> => context.retry({ countdown: RETRY_MS })),
  defineTask("demo.unstorable", async () => Number.NaN),
];
const LINKS: TaskEnqueueOptions = {
  link: [{ name: "after.success", enqueueOptions: { taskId: "s", queue: "after" } }],
  linkError: [{ name: "after.failure", enqueueOptions: { taskId: "f", queue: "after" } }],
};

/** A started worker, and what is in the queue `after`. */
async function aLinkRig(options: RigOptions = {}) {
  const rig = aWorkerRig(TASKS, options);
  await rig.worker.start();
  /** Takes what is in the queue, and acks it. */
  const followers = async (): Promise<readonly Envelope[]> => {
    const consumer = rig.broker.consume({ queues: ["after"] }, { prefetch: 100 });
    const taken: Envelope[] = [];
    const taking = (async () => {
      for await (const delivery of consumer) {
        taken.push(delivery.envelope);
        await rig.broker.ack(delivery);
      }
    })();
    await rig.settle();
    await consumer.return();
    await taking;
    return taken;
  };
  /** Enqueues a task as `t1` and lets it run. */
  const run = async (name: string, { enqueueOptions, ...rest }: EnqueueOptions = {}): Promise<readonly Envelope[]> => {
    await rig.stem.enqueue(name, { ...rest, enqueueOptions: { taskId: "t1", ...LINKS, ...enqueueOptions } });
    await rig.settle();
    return followers();
  };
  return { ...rig, run, followers };
}

const namesOf = (envelopes: readonly Envelope[]): readonly string[] => envelopes.map(({ name }) => name);

describe("A task with links", () => {
  it.each([
    ["that succeeds", "demo.good", {}, "after.success"],
    ["that fails for good", "demo.bad", {}, "after.failure"],
    ["whose result cannot be stored", "demo.unstorable", {}, "after.failure"],
    ["that no handler is registered for", "demo.unknown", {}, "after.failure"],
    ["whose asked-for retries are used up", "demo.again", {}, "after.failure"],
  ])("%s is followed by its kind", async (_case, name, options, expected) => {
    const { run } = await aLinkRig();

    expect(namesOf(await run(name, options))).toEqual([expected]);
  });

  it.each(["demo.bad", "demo.again"])("is followed by nothing before its last retry: %s", async (name) => {
    const { run, clock, followers } = await aLinkRig();
    expect(await run(name, { options: { maxRetries: 2 } })).toEqual([]);
    await clock.advance(RETRY_MS);
    expect(await followers()).toEqual([]);
    await clock.advance(RETRY_MS);

    expect(namesOf(await followers())).toEqual(["after.failure"]);
  });

  it("that is cancelled is followed by nothing", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const entry = { namespace: "stem", taskId: "t1", version: 1, issuedAt: new Date(START), terminate: false };
    await revokeStore.upsertAll([entry]);
    const { run, backend } = await aLinkRig({ revokeStore });
    expect(await run("demo.good")).toEqual([]);
    expect(await backend.get("t1")).toMatchObject({ state: "cancelled" });

    const expired = await aLinkRig();
    expect(await expired.run("demo.good", { enqueueOptions: { expires: 0 } })).toEqual([]);
    expect(await expired.backend.get("t1")).toMatchObject({ state: "cancelled" });
  });

  it("is followed by all of them, in their order, with the ids that its enqueue gave them", async () => {
    const { run } = await aLinkRig();
    const link = ["a", "b", "c"].map((name) => ({ name, enqueueOptions: { queue: "after" } }));
    const followers = await run("demo.good", { enqueueOptions: { link } });

    expect(followers.map(({ id, name }) => [id, name])).toEqual([
      ["task-1", "a"],
      ["task-2", "b"],
      ["task-3", "c"],
    ]);
  });

  it("that is replayed is followed by its success then, and once only by its failure", async () => {
    let isUp = false;
    const task = defineTask("demo.flaky", async () => {
      if (!isUp) throw new Error("down");
    });
    const after = defineTask("after.failure", async () => undefined);
    const { stem, broker, settle, followers, events } = await aLinkRig({ tasks: [task, after] });
    const linkError = [{ name: "after.failure", enqueueOptions: { taskId: "f" } }];
    await stem.enqueue("demo.flaky", { enqueueOptions: { ...LINKS, linkError } });
    await settle();
    await broker.replayDeadLetters("default");
    await settle();
    isUp = true;
    await broker.replayDeadLetters("default");
    await settle();

    const ended = events.filter(({ type }) => type === "completed" || type === "failed");
    expect(ended.map((event) => ("envelope" in event ? [event.type, event.envelope?.name] : []))).toEqual([
      ["failed", "demo.flaky"],
      ["completed", "after.failure"],
      ["failed", "demo.flaky"],
      ["completed", "demo.flaky"],
    ]);
    expect(namesOf(await followers())).toEqual(["after.success"]);
  });

  it("needs no backend", async () => {
    const { run } = await aLinkRig({ backend: undefined as never });

    expect(namesOf(await run("demo.good"))).toEqual(["after.success"]);
  });
});

describe("A linked task", () => {
  it("has the headers of its parent but the library's own, and of its meta the lineage", async () => {
    const { run, backend } = await aLinkRig();
    const call = { name: "after.a", args: { n: 1 }, headers: { tenant: "t2", own: "h" }, meta: { own: 1 } };
    const link = [{ ...call, enqueueOptions: { taskId: "a", queue: "after", shadow: "shown" } }];
    const [envelope] = await run("demo.good", {
      headers: { tenant: "t1", traceparent: "00-trace", "stem-group-id": "g1", "stem-signature": "x" },
      meta: { secret: true, "stem.rootTaskId": "r0" },
      enqueueOptions: { link, timeLimit: 5_000, expires: 60_000, priority: 5 },
    });

    expect(envelope).toMatchObject({ id: "a", name: "after.a", args: { n: 1 }, attempt: 0, priority: 0 });
    expect(envelope?.headers).toEqual({ tenant: "t2", traceparent: "00-trace", own: "h" });
    expect(envelope?.meta).toEqual({
      own: 1,
      "stem.task": "after.a",
      "stem.queue": "after",
      "stem.shadow": "shown",
      "stem.parentTaskId": "t1",
      "stem.parentAttempt": 0,
      "stem.rootTaskId": "r0",
    });
    expect(await backend.get("a")).toMatchObject({
      state: "queued",
      meta: { task: "after.a", queue: "after", own: 1 },
    });
  });

  it("has no lineage when its call says so", async () => {
    const { run } = await aLinkRig();
    const link = [{ name: "after.a", enqueueOptions: { queue: "after", addToParent: false } }];
    const [envelope] = await run("demo.good", { enqueueOptions: { link } });

    expect(Object.keys(envelope?.meta ?? {})).toEqual(["stem.task", "stem.queue"]);
  });

  it("takes the options of the handler that the worker knows, under those of its call", async () => {
    const known = defineTask("after.known", async () => undefined, { queue: "after", maxRetries: 3, priority: 4 });
    const { run } = await aLinkRig({ tasks: [...TASKS, known] });
    const link = [{ name: "after.known" }, { name: "after.known", options: { priority: 9 } }];
    const followers = await run("demo.good", { enqueueOptions: { link } });

    expect(followers.map(({ priority, maxRetries }) => [priority, maxRetries])).toEqual([
      [9, 3],
      [4, 3],
    ]);
  });

  it("counts its delays from the end of its parent", async () => {
    const { stem, clock, followers } = await aLinkRig();
    const link = [{ name: "after.a", enqueueOptions: { queue: "after", countdown: 500, expires: 900 } }];
    await stem.enqueue("demo.good", { enqueueOptions: { link, countdown: 1_000 } });
    await clock.advance(1_000 + 499);
    expect(await followers()).toEqual([]);
    await clock.advance(1);
    const [envelope] = await followers();

    expect(envelope?.notBefore).toEqual(new Date(START + 1_500));
    expect(envelope?.meta["stem.expiresAt"]).toBe(new Date(START + 1_900).toISOString());
  });

  it("may have links itself, whose ids are known from the first enqueue on", async () => {
    const leaf = { name: "after.leaf", enqueueOptions: { queue: "after", taskId: "leaf" } };
    const { run } = await aLinkRig();
    const link = [{ name: "demo.good", args: { n: 1 }, enqueueOptions: { link: [leaf] } }];
    const [envelope] = await run("demo.good", { enqueueOptions: { link } });

    expect(envelope).toMatchObject({
      id: "leaf",
      name: "after.leaf",
      meta: { "stem.parentTaskId": "task-1", "stem.rootTaskId": "t1" },
    });
  });
});

describe("A message that carries what is no link", () => {
  it.each([
    ["no list", "demo.b"],
    ["no call", [3]],
    ["no id", [{ name: "b" }]],
    ["a bad name", [{ name: "a b", enqueueOptions: { taskId: "b" } }]],
    ["bad headers", [{ name: "b", headers: "x", enqueueOptions: { taskId: "b" } }]],
    ["a bad option", [{ name: "b", enqueueOptions: { taskId: "b", countdownMs: "soon" } }]],
  ])("is settled all the same, and told: %s", async (_case, stored) => {
    const { broker, backend, settle, types, events } = await aLinkRig();
    const envelope = createEnvelope({ name: "demo.good", meta: { "stem.link": stored } });
    await broker.publish(envelope);
    await settle();

    expect(types()).toEqual(["started", "error", "completed"]);
    expect(events[1]).toMatchObject({ during: "reading a linked call; it is left out", envelope: { id: envelope.id } });
    expect(await backend.get(envelope.id)).toMatchObject({ state: "succeeded" });
    expect(await broker.inflightCount("default")).toBe(0);
  });

  it("is followed by the calls beside it", async () => {
    const { broker, settle, followers } = await aLinkRig();
    const good = { name: "after.a", enqueueOptions: { taskId: "a", queue: "after" } };
    await broker.publish(createEnvelope({ name: "demo.good", meta: { "stem.link": [null, good] } }));
    await settle();

    expect(namesOf(await followers())).toEqual(["after.a"]);
  });
});
