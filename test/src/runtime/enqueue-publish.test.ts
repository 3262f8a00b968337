import { describe, expect, it, onTestFinished } from "vitest";
import { InMemoryBroker, InMemoryResultBackend } from "../../../adapters/memory/index.ts";
import type { PublishOptions } from "../../../src/contracts/broker.ts";
import type { EnqueueRequest, TaskEnqueueOptions } from "../../../src/contracts/task-enqueuer.ts";
import {
  ClosedError,
  DuplicateIdConflictError,
  EngineError,
  InvalidOptionError,
  OutcomeUnknownError,
  PayloadTooLargeError,
} from "../../../src/errors.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { createSequentialIds } from "../../../src/testing/sequential-ids.ts";
import { aRecordingBroker } from "./recording-broker.ts";

const busy = (): EngineError => new EngineError("busy", { retryable: true });
const unknown = (): OutcomeUnknownError => new OutcomeUnknownError("publish");
/** Nothing random is taken off: the delays are the longest. */
const randomness = { number: () => 0, fill: () => undefined } as never;

/** A producer whose broker fails with these errors, one after the other, and tells when it was called. */
function aProducer(failures: unknown[] = []) {
  const clock = new FakeClock(0);
  const logger = new RecordingLogger();
  const recording = aRecordingBroker();
  const backend = new InMemoryResultBackend({ clock, cleanupInterval: 0 });
  const tries: number[] = [];
  const options: (PublishOptions | undefined)[] = [];
  for (const method of ["publish", "publishAll"] as const) {
    const original = recording.broker[method].bind(recording.broker) as (...args: unknown[]) => Promise<never>;
    recording.broker[method] = async (...args: unknown[]) => {
      tries.push(clock.now());
      options.push(args[1] as PublishOptions | undefined);
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return original(...args);
    };
  }
  const ids = createSequentialIds();
  const stem = new Stem({ broker: recording.broker, backend, clock, ids, logger, randomness });
  onTestFinished(async () => {
    await backend.close();
    expect(clock.pendingTimers).toBe(0);
  });
  return { stem, clock, backend, logger, tries, options, published: recording.published };
}

/** Enqueues `t1`, lets all its tries happen, and gives back how it ended. */
async function outcomeOf(producer: ReturnType<typeof aProducer>, enqueueOptions: TaskEnqueueOptions): Promise<unknown> {
  const enqueued = producer.stem.enqueue("demo.a", { enqueueOptions: { taskId: "t1", ...enqueueOptions } });
  const outcome = enqueued.catch((error: unknown) => error);
  await producer.clock.advance(100_000);
  return outcome;
}

describe("A publish that fails", () => {
  it("is not tried again unless asked for", async () => {
    const producer = aProducer([busy()]);
    expect(await outcomeOf(producer, { retryPolicy: { maxRetries: 5 } })).toBeInstanceOf(EngineError);
    expect(await outcomeOf(aProducer([busy()]), { retry: false })).toBeInstanceOf(EngineError);
    expect(producer.tries).toEqual([0]);
  });

  it("is tried again three times, after delays that double, under the same id", async () => {
    const producer = aProducer([busy(), busy(), busy()]);

    expect(await outcomeOf(producer, { retry: true })).toBe("t1");
    expect(producer.tries).toEqual([0, 100, 300, 700]);
    expect(producer.published.map(({ id }) => id)).toEqual(["t1"]);
    expect(await producer.backend.get("t1")).toMatchObject({ state: "queued" });
  });

  it("fails with the last error when nothing helped, and leaves nothing", async () => {
    const last = busy();
    const producer = aProducer([busy(), busy(), busy(), last]);

    expect(await outcomeOf(producer, { retry: true })).toBe(last);
    expect(await producer.backend.get("t1")).toBeNull();
    expect(producer.published).toEqual([]);
  });

  it("takes number and delays from the retry policy of the enqueue", async () => {
    const policy = { backoff: true, defaultDelay: 10, backoffMax: 25, maxRetries: 4, jitter: true };
    const producer = aProducer([busy(), busy(), busy(), busy(), busy()]);
    expect(await outcomeOf(producer, { retry: true, retryPolicy: policy })).toBeInstanceOf(EngineError);
    expect(producer.tries).toEqual([0, 10, 30, 55, 80]);

    const flat = aProducer([busy(), busy(), busy(), busy()]);
    await outcomeOf(flat, { retry: true, retryPolicy: { defaultDelay: 5 } });
    expect(flat.tries).toEqual([0, 5, 10, 15]);

    const none = aProducer([busy()]);
    await outcomeOf(none, { retry: true, retryPolicy: { maxRetries: 0 } });
    expect(none.tries).toEqual([0]);
  });

  it("ends at once with what cannot pass", async () => {
    for (const failure of [new PayloadTooLargeError("args", 1, 2), new TypeError("not ours")]) {
      const producer = aProducer([busy(), failure]);
      expect(await outcomeOf(producer, { retry: true })).toBe(failure);
      expect(producer.tries).toHaveLength(2);
    }
  });

  it("is tried again after an unknown outcome", async () => {
    const producer = aProducer([unknown(), busy()]);

    expect(await outcomeOf(producer, { retry: true })).toBe("t1");
    expect(producer.published).toHaveLength(1);
  });

  it.each([
    ["a failure that may pass", busy()],
    ["a failure that may not", new DuplicateIdConflictError("t1", "default")],
  ])("stays unknown when %s follows, and keeps its status", async (_case, last) => {
    const producer = aProducer([unknown(), last, last, last]);
    const error = await outcomeOf(producer, { retry: true });

    expect(error).toMatchObject({ code: "STEM_OUTCOME_UNKNOWN", outcome: "unknown", cause: last });
    expect(await producer.backend.get("t1")).toMatchObject({ state: "queued" });
  });

  it("is not repeated when a worker has the task by then", async () => {
    const producer = aProducer([unknown()]);
    const enqueued = producer.stem.enqueue("demo.a", { enqueueOptions: { taskId: "t1", retry: true } });
    await producer.clock.advance(0);
    await producer.backend.set("t1", "running");
    await producer.clock.advance(100);

    expect(await enqueued).toBe("t1");
    expect(producer.tries).toHaveLength(1);
  });

  it("is repeated when nothing can be read of the task, which is logged", async () => {
    const producer = aProducer([unknown()]);
    producer.backend.get = () => Promise.reject(busy());

    expect(await outcomeOf(producer, { retry: true })).toBe("t1");
    expect(producer.tries).toHaveLength(2);
    expect(producer.logger.records).toMatchObject([{ level: "warn" }]);
  });

  it("is given up when the Stem is closed", async () => {
    const failure = busy();
    const producer = aProducer([failure]);
    const enqueued = producer.stem.enqueue("demo.a", { enqueueOptions: { retry: true } });
    const outcome = enqueued.catch((error: unknown) => error);
    await producer.clock.advance(0);
    await producer.stem.close();

    expect(await outcome).toBe(failure);
    await expect(producer.stem.enqueue("demo.a")).rejects.toThrow(ClosedError);
  });

  it("of a producer without a backend sends what was given, whatever becomes of it meanwhile", async () => {
    const { broker, published } = aRecordingBroker();
    const clock = new FakeClock(0);
    const publish = broker.publish.bind(broker);
    const failures = [busy()];
    broker.publish = async (envelope) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return publish(envelope);
    };
    const args = { n: 1 };
    const enqueued = new Stem({ broker, clock }).enqueue("demo.a", { args, enqueueOptions: { retry: true } });
    args.n = 2;
    await clock.advance(1_000);
    await enqueued;

    expect(published[0]?.args).toEqual({ n: 1 });
  });
});

describe("A bulk", () => {
  const same: TaskEnqueueOptions = { retry: true, onConflict: "replace-pending", retryPolicy: { defaultDelay: 7 } };

  it("is tried again as a whole", async () => {
    const { stem, clock, tries, options, published } = aProducer([busy()]);
    const requests: EnqueueRequest[] = ["a", "b"].map((name) => ({ name, enqueueOptions: same }));
    const enqueued = stem.enqueueAll(requests);
    await clock.advance(7);
    await enqueued;

    expect(tries).toEqual([0, 7]);
    expect(published).toHaveLength(2);
    expect(options).toEqual([{ onConflict: "replace-pending" }, { onConflict: "replace-pending" }]);
  });

  it.each(["retry", "onConflict"] as const)("has one %s for all its tasks", async (name) => {
    const { stem, tries } = aProducer();
    const requests = [{ name: "a" }, { name: "b", enqueueOptions: { [name]: same[name] } }] as EnqueueRequest[];

    await expect(stem.enqueueAll(requests)).rejects.toThrow(InvalidOptionError);
    await expect(stem.enqueueAll(requests)).rejects.toThrow(`requests[1].enqueueOptions.${name}`);
    expect(tries).toEqual([]);
  });
});

describe("The broker is told", () => {
  it("nothing beside the message, as a rule", async () => {
    const { stem, options } = aProducer();
    await stem.enqueue("demo.a");
    await stem.enqueue("demo.a", { enqueueOptions: { onConflict: "reject", priority: 3 } });

    expect(options).toEqual([undefined, undefined]);
  });

  it("the route's exchange and routing key, which are kept in the meta too", async () => {
    const { stem, options, published } = aProducer();
    await stem.enqueue("demo.a", { enqueueOptions: { queue: "q", exchange: "ex", routingKey: "r.k" } });

    expect(options).toEqual([{ routing: { type: "queue", queue: "q", exchange: "ex", routingKey: "r.k", meta: {} } }]);
    expect(published[0]).toMatchObject({ queue: "q", meta: { "stem.exchange": "ex", "stem.routingKey": "r.k" } });
  });

  it("what to do about an id in use: the message that waits is replaced, its status is not", async () => {
    const clock = new FakeClock();
    const broker = new InMemoryBroker({ clock, sweeperInterval: 0 });
    const backend = new InMemoryResultBackend({ clock, cleanupInterval: 0 });
    const stem = new Stem({ broker, backend, clock });
    const enqueue = (run: number, onConflict?: "reject" | "replace-pending"): Promise<string> =>
      stem.enqueue("demo.a", {
        args: { run },
        meta: { run },
        enqueueOptions: { taskId: "t1", ...(onConflict === undefined ? {} : { onConflict }) },
      });
    await enqueue(1);
    await expect(enqueue(2)).rejects.toThrow(DuplicateIdConflictError);
    await expect(enqueue(2, "reject")).rejects.toThrow(DuplicateIdConflictError);
    await enqueue(3, "replace-pending");
    expect(await backend.get("t1")).toMatchObject({ state: "queued", meta: { run: 1 } });
    const consumer = broker.consume({ queues: ["default"] });

    expect((await consumer.next()).value?.envelope.args).toEqual({ run: 3 });
    await expect(enqueue(4, "replace-pending")).rejects.toThrow(DuplicateIdConflictError);
    expect(await broker.pendingCount("default")).toBe(0);
    await broker.close();
    await backend.close();
  });
});

describe("Options that are data", () => {
  it("come to the worker in the meta", async () => {
    const { stem, published } = aProducer();
    await stem.enqueue("demo.a", {
      enqueueOptions: {
        serializer: "json",
        compression: "gzip",
        shadow: "shown",
        replyTo: "replies",
        publishConnection: { pool: 2 },
        producer: ["p", null],
      },
    });

    expect(published[0]?.meta).toEqual({
      "stem.task": "demo.a",
      "stem.queue": "default",
      "stem.serializer": "json",
      "stem.compression": "gzip",
      "stem.shadow": "shown",
      "stem.replyTo": "replies",
      "stem.publishConnection": { pool: 2 },
      "stem.producer": ["p", null],
    });
  });
});
