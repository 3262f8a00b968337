import { describe, expect, it } from "vitest";
import type { DeliveryOutcome } from "../../../src/contracts/delivery-settler.ts";
import { copyEnvelope, type Envelope } from "../../../src/core/envelope.ts";
import {
  ClosedError,
  EngineError,
  LeaseLostError,
  OutcomeUnknownError,
  PayloadTooLargeError,
} from "../../../src/errors.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aWorkerRig, LEASE_MS } from "./worker-rig.ts";

const busy = (): EngineError => new EngineError("busy", { retryable: true });
const link = [{ name: "demo.after", enqueueOptions: { taskId: "after" } }];
const linkError = [{ name: "demo.excuse", enqueueOptions: { taskId: "excuse" } }];

/** A started worker that knows the follower as well, and what its handlers did. */
async function aFaultRig(first: (delivery: number) => unknown = () => undefined) {
  const ran: string[] = [];
  const tasks = [
    defineTask("demo.first", async (context) => {
      ran.push("first");
      await first(context.deliveries);
    }),
    defineTask("demo.after", async () => void ran.push("after")),
    defineTask("demo.excuse", async () => void ran.push("excuse")),
  ];
  const rig = aWorkerRig(tasks, { concurrency: 2, prefetch: 2 });
  const published: string[] = [];
  const publish = rig.broker.publish.bind(rig.broker);
  /** What the next calls of `publish` for a follower throw: before any effect or, when unknown, after it. */
  const failures: unknown[] = [];
  const enqueue = (): Promise<string> =>
    rig.stem.enqueue("demo.first", { enqueueOptions: { taskId: "first", link, linkError } });
  rig.broker.publish = async (envelope, options) => {
    const failure = envelope.id === "first" ? undefined : failures.shift();
    const isUnknown = failure instanceof OutcomeUnknownError;
    if (failure !== undefined && !isUnknown) throw failure;
    published.push(envelope.id);
    const receipt = await publish(envelope, options);
    if (isUnknown) throw failure;
    return receipt;
  };
  await rig.worker.start();
  return { ...rig, ran, published, failures, enqueue };
}

/** Lets `ack` of the first task fail this often: until it works again, the message stays. */
function failAcks(rig: Awaited<ReturnType<typeof aFaultRig>>, times: number): void {
  const ack = rig.broker.ack.bind(rig.broker);
  let left = times;
  rig.broker.ack = async (delivery) => {
    if (delivery.envelope.id === "first" && left-- > 0) throw busy();
    await ack(delivery);
  };
}

describe("Links without a shared transaction", () => {
  it("are published after the result and before the message ends", async () => {
    const rig = await aFaultRig();
    const steps: string[] = [];
    const set = rig.backend.set.bind(rig.backend);
    rig.backend.set = (id, state, options) => {
      if (id === "first" || state === "queued") steps.push(`${id} ${state}`);
      return set(id, state, options);
    };
    const publish = rig.broker.publish.bind(rig.broker);
    rig.broker.publish = (envelope, options) => {
      steps.push(`publish ${envelope.id}`);
      return publish(envelope, options);
    };
    const ack = rig.broker.ack.bind(rig.broker);
    rig.broker.ack = (delivery) => {
      steps.push(`ack ${delivery.envelope.id}`);
      return ack(delivery);
    };
    await rig.enqueue();
    await rig.settle();

    expect(steps).toEqual([
      "first queued",
      "publish first",
      "first running",
      "first succeeded",
      "after queued",
      "publish after",
      "ack first",
      "ack after",
    ]);
  });

  it("run once when the message is not ended and the task runs again", async () => {
    const rig = await aFaultRig();
    failAcks(rig, 6);
    await rig.enqueue();
    await rig.clock.advance(1_550 + LEASE_MS);

    expect(rig.ran).toEqual(["first", "after", "first"]);
    expect(rig.published).toEqual(["first", "after"]);
    expect(await rig.broker.inflightCount("default")).toBe(0);
  });

  it("follow the result that stands, when the run after a crash ends otherwise", async () => {
    const rig = await aFaultRig((delivery) => {
      if (delivery > 1) throw new Error("done already");
    });
    // A crash after the result: nothing of the first run reaches the broker any more.
    rig.failures.push(...Array.from({ length: 6 }, busy));
    await rig.enqueue();
    await rig.clock.advance(1_550);
    expect(rig.published).toEqual(["first"]);
    expect(await rig.backend.get("first")).toMatchObject({ state: "succeeded" });
    await rig.clock.advance(LEASE_MS);

    expect(rig.ran).toEqual(["first", "first", "after"]);
    expect(await rig.backend.get("first")).toMatchObject({ state: "succeeded" });
  });

  it("are not published for a run whose message is somebody else's by then", async () => {
    const rig = await aFaultRig();
    const set = rig.backend.set.bind(rig.backend);
    rig.backend.set = async (id, state, options) => {
      if (id !== "first" || state !== "succeeded") return set(id, state, options);
      rig.backend.set = set;
      await set("first", "running", { fence: (options?.fence ?? 0) + 1 });
      return set(id, state, options);
    };
    await rig.enqueue();
    await rig.settle();

    expect(rig.published).toEqual(["first"]);
  });

  it.each([
    ["a fault that passes", busy()],
    ["an unknown outcome", new OutcomeUnknownError("publish")],
  ])("outlast %s", async (_case, failure) => {
    const rig = await aFaultRig();
    rig.failures.push(failure);
    await rig.enqueue();
    await rig.clock.advance(50);

    expect(rig.ran).toEqual(["first", "after"]);
    expect(rig.types()).not.toContain("error");
  });

  it.each([
    ["what the broker refuses", new PayloadTooLargeError("headers", 1, 2)],
    ["what is not one of ours", new TypeError("?")],
  ])("are left out, and told, for %s", async (_case, failure) => {
    const rig = await aFaultRig();
    rig.failures.push(failure);
    await rig.enqueue();
    await rig.settle();

    expect(rig.ran).toEqual(["first"]);
    expect(rig.types()).toEqual(["started", "error", "completed"]);
    expect(rig.events[1]).toMatchObject({ error: failure, envelope: { id: "first" } });
    expect(await rig.backend.get("after")).toBeNull();
    expect(await rig.broker.inflightCount("default")).toBe(0);
  });

  it("are published also where their status cannot be written, which is told", async () => {
    const rig = await aFaultRig();
    const set = rig.backend.set.bind(rig.backend);
    rig.backend.set = (id, state, options) =>
      id === "after" && state === "queued" ? Promise.reject(busy()) : set(id, state, options);
    await rig.enqueue();
    await rig.settle();

    expect(rig.ran).toEqual(["first", "after"]);
    expect(rig.events[1]).toMatchObject({ type: "error", during: "writing the status of a linked task" });
  });

  it("tell when the status of one that was refused stays", async () => {
    const rig = await aFaultRig();
    rig.failures.push(new PayloadTooLargeError("headers", 1, 2));
    rig.backend.expire = () => Promise.reject(busy());
    await rig.enqueue();
    await rig.settle();

    expect(rig.types()).toEqual(["started", "error", "error", "completed"]);
  });
});

describe("Links of a broadcast", () => {
  it("are published once, whoever of its receivers ends first", async () => {
    const ran: string[] = [];
    const tasks = [
      defineTask("demo.first", async () => undefined),
      defineTask("demo.after", async () => void ran.push("after")),
    ];
    const rig = aWorkerRig(tasks, {
      queue: undefined as never,
      subscription: { broadcastChannels: ["news"], queues: ["default"] },
    });
    const other = rig.another();
    await rig.worker.start();
    await other.start();
    const stored = [{ name: "demo.after", enqueueOptions: { taskId: "after" } }];
    const envelope = createEnvelope({ name: "demo.first", meta: { "stem.link": stored } });
    await rig.broker.publish(envelope, { routing: { type: "broadcast", broadcastChannel: "news", meta: {} } });
    await rig.settle();

    expect(ran).toEqual(["after"]);
  });
});

describe("Links with a settler", () => {
  /** A settler in memory; `fault` is asked before each call. */
  async function aSettledRig(fault: (outcome: DeliveryOutcome, call: number) => unknown = () => undefined) {
    const rig = aWorkerRig([defineTask("demo.first", async () => "x".repeat(10))]);
    const calls: DeliveryOutcome[] = [];
    rig.broker.settlerFor = () => ({
      async settle(delivery, outcome) {
        calls.push(outcome);
        const error = fault(outcome, calls.length);
        if (error !== undefined) throw error;
        if (outcome.end.kind === "ack") await rig.broker.ack(delivery);
        if (outcome.end.kind === "dead-letter") await rig.broker.deadLetter(delivery, outcome.end);
      },
    });
    const worker = rig.another();
    for (const type of ["completed", "failed", "error"] as const) worker.on(type, (event) => rig.events.push(event));
    await worker.start();
    const followers = ["after", "more"].map((taskId) => ({
      name: `demo.${taskId}`,
      enqueueOptions: { taskId, queue: "after" },
    }));
    await rig.stem.enqueue("demo.first", { enqueueOptions: { taskId: "first", link: followers, linkError } });
    await rig.settle();
    return { ...rig, calls };
  }
  const idsOf = (messages: readonly Envelope[] | undefined): readonly string[] | undefined =>
    messages?.map(({ id }) => id);

  it("are part of its call, with their statuses", async () => {
    const { calls, types } = await aSettledRig();

    expect(calls).toHaveLength(1);
    expect(idsOf(calls[0]?.publish)).toEqual(["after", "more"]);
    expect(calls[0]?.queued).toMatchObject([
      { taskId: "after", state: "queued", meta: { task: "demo.after", queue: "after" } },
      { taskId: "more", state: "queued", meta: { task: "demo.more", queue: "after" } },
    ]);
    expect(types()).toEqual(["completed"]);
  });

  it("are the same in every try", async () => {
    const { calls, clock } = await aSettledRig((_outcome, call) => (call < 3 ? busy() : undefined));
    await clock.advance(1_000);

    expect(calls).toHaveLength(3);
    expect(calls[2]).toEqual(calls[0]);
  });

  it("that are refused let the settlement be, and are published singly after it, or told", async () => {
    const tooLarge = new PayloadTooLargeError("headers", 1, 2);
    const rig = await aSettledRig(({ publish }) => (publish === undefined ? undefined : tooLarge));
    await rig.settle();

    expect(rig.calls.map(({ publish }) => idsOf(publish))).toEqual([["after", "more"], undefined]);
    expect(rig.types()).toEqual(["completed"]);
    expect(await rig.broker.pendingCount("after")).toBe(2);
  });

  it("of a result that is refused are those of the failure", async () => {
    const tooLarge = new PayloadTooLargeError("payload", 1, 2);
    const rig = await aSettledRig(({ status }) => (status.state === "succeeded" ? tooLarge : undefined));

    expect(rig.calls.map(({ status, publish }) => [status.state, idsOf(publish)])).toEqual([
      ["succeeded", ["after", "more"]],
      ["succeeded", undefined],
      ["failed", ["excuse"]],
    ]);
    expect(await rig.broker.pendingCount("after")).toBe(0);
  });

  it.each([new LeaseLostError("first", "default"), new ClosedError("The broker"), new TypeError("?")])(
    "are not published singly after %s",
    async (failure) => {
      const { calls } = await aSettledRig(() => failure);

      expect(calls).toHaveLength(1);
    },
  );
});

describe("A dead letter of the broker's own", () => {
  it("is followed by the links of a failure, by the status where one stands", async () => {
    const rig = aWorkerRig([defineTask("demo.other", async () => undefined)], { queue: "unused" });
    const buried: ((envelope: Envelope) => void)[] = [];
    const consume = rig.broker.consume.bind(rig.broker);
    rig.broker.consume = (subscription, options) => {
      if (options?.onDeadLetter !== undefined) buried.push(options.onDeadLetter);
      return consume(subscription, options);
    };
    await rig.worker.start();
    const meta = {
      "stem.link": [{ name: "demo.after", enqueueOptions: { taskId: "after", queue: "after" } }],
      "stem.linkError": [{ name: "demo.excuse", enqueueOptions: { taskId: "excuse", queue: "excuses" } }],
    };
    const envelope = createEnvelope({ name: "demo.first", meta });
    const bury = async (letter: Envelope): Promise<readonly number[]> => {
      for (const tell of buried) tell(letter);
      await rig.settle();
      return [await rig.broker.pendingCount("after"), await rig.broker.pendingCount("excuses")];
    };
    expect(await bury(envelope)).toEqual([0, 1]);
    await rig.broker.purge("excuses");
    const other = copyEnvelope(envelope, { id: "other" });
    await rig.backend.set("other", "succeeded");

    expect(await bury(other)).toEqual([1, 0]);
    expect(rig.types()).toEqual(["failed", "failed"]);
  });
});
