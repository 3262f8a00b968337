import { describe, expect, it } from "vitest";
import { InMemoryBroker, InMemoryResultBackend } from "../../../adapters/memory/index.ts";
import type { EnqueueOptions } from "../../../src/contracts/task-enqueuer.ts";
import {
  ClosedError,
  DuplicateIdConflictError,
  EngineError,
  OutcomeUnknownError,
  PayloadNotSerializableError,
  PayloadTooLargeError,
  StemError,
  UnknownTaskError,
} from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { TaskRegistry } from "../../../src/runtime/task-registry.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { createSequentialIds } from "../../../src/testing/sequential-ids.ts";
import { aRecordingBroker } from "./recording-broker.ts";

const START = Date.UTC(2026, 0, 1);
const run = async (): Promise<void> => undefined;

function aProducer(options: Partial<ConstructorParameters<typeof Stem>[0]> = {}) {
  const recording = aRecordingBroker();
  const clock = new FakeClock(START);
  const stem = new Stem({ broker: recording.broker, clock, ids: createSequentialIds(), ...options });
  return { recording, clock, stem };
}

async function publishedBy(options: EnqueueOptions, task = defineTask("demo.a", run)) {
  const { stem, recording } = aProducer({ tasks: [task] });
  await stem.enqueue(task.name, options);
  const [envelope] = recording.published;
  if (envelope === undefined) throw new Error("Nothing was published.");
  return envelope;
}

describe("Stem.enqueue", () => {
  it("publishes an envelope with the defaults and resolves to its id", async () => {
    const { stem, recording } = aProducer();

    expect(await stem.enqueue("demo.a", { args: { n: 1 } })).toBe("task-1");
    expect(recording.published).toEqual([
      {
        id: "task-1",
        name: "demo.a",
        args: { n: 1 },
        headers: {},
        enqueuedAt: new Date(START),
        priority: 0,
        attempt: 0,
        maxRetries: 0,
        queue: "default",
        meta: { "stem.task": "demo.a", "stem.queue": "default" },
      },
    ]);
  });

  it("takes the handler's options and lets the call's win, field by field, defaults too", async () => {
    const task = defineTask("demo.a", run, { queue: "mail", maxRetries: 5, priority: 3, visibilityTimeout: 9_000 });

    expect(await publishedBy({}, task)).toMatchObject({
      queue: "mail",
      maxRetries: 5,
      priority: 3,
      visibilityTimeout: 9_000,
    });
    expect(await publishedBy({ options: { priority: 0, maxRetries: 0 } }, task)).toMatchObject({
      queue: "mail",
      maxRetries: 0,
      priority: 0,
    });
    expect(
      await publishedBy({ options: { queue: "a" }, enqueueOptions: { queue: "b", priority: 7 } }, task),
    ).toMatchObject({
      queue: "b",
      priority: 7,
      meta: { "stem.queue": "b" },
    });
  });

  it("starts at eta, else after countdown, else at notBefore", async () => {
    const eta = new Date(START + 1);
    const notBefore = new Date(START + 3);

    expect((await publishedBy({ notBefore, enqueueOptions: { eta, countdown: 2 } })).notBefore).toEqual(eta);
    expect((await publishedBy({ notBefore, enqueueOptions: { countdown: 2 } })).notBefore).toEqual(new Date(START + 2));
    expect((await publishedBy({ notBefore })).notBefore).toEqual(notBefore);
    expect((await publishedBy({})).notBefore).toBeUndefined();
  });

  it("stores what the worker must know under reserved meta keys", async () => {
    const envelope = await publishedBy({
      meta: { tenant: "t1" },
      enqueueOptions: {
        expires: 5_000,
        timeLimit: 2_000,
        softTimeLimit: 1_000,
        ignoreResult: true,
        retryPolicy: { maxRetries: 4, defaultDelay: 10 },
      },
    });

    expect(envelope.meta).toEqual({
      tenant: "t1",
      "stem.task": "demo.a",
      "stem.queue": "default",
      "stem.expiresAt": new Date(START + 5_000).toISOString(),
      "stem.timeLimitMs": 2_000,
      "stem.softTimeLimitMs": 1_000,
      "stem.ignoreResult": true,
      "stem.retryPolicy": {
        backoff: false,
        jitter: true,
        defaultDelayMs: 10,
        maxRetries: 4,
        autoRetryFor: [],
        dontAutoRetryFor: [],
      },
    });
    expect(envelope.maxRetries).toBe(4);
    const at = new Date(START + 7);
    expect((await publishedBy({ enqueueOptions: { expires: at } })).meta["stem.expiresAt"]).toBe(at.toISOString());
    expect((await publishedBy({ options: { hardTimeLimit: 8 } })).meta["stem.timeLimitMs"]).toBe(8);
  });

  it("uses the id it is given", async () => {
    expect((await publishedBy({ enqueueOptions: { taskId: "mine" } })).id).toBe("mine");
  });

  it("refuses an unknown name once anything is registered, and takes any name otherwise", async () => {
    const registered = aProducer({ tasks: [defineTask("demo.a", run)] });
    await expect(registered.stem.enqueue("demo.b")).rejects.toThrow(UnknownTaskError);
    await expect(aProducer({ registry: new TaskRegistry() }).stem.enqueue("demo.b")).rejects.toThrow(UnknownTaskError);
    expect(registered.recording.published).toEqual([]);
    expect(await aProducer().stem.enqueue("demo.b")).toBe("task-1");
  });

  it("sees a handler that is registered, or replaced, later", async () => {
    const registry = new TaskRegistry();
    const { stem, recording } = aProducer({ registry });
    registry.register(defineTask("demo.a", run, { queue: "one" }));
    await stem.enqueue("demo.a");
    registry.register(defineTask("demo.a", run, { queue: "two" }), { overrideExisting: true });
    await stem.enqueue("demo.a");

    expect(recording.published.map(({ queue }) => queue)).toEqual(["one", "two"]);
  });

  it("refuses calls after close, and leaves the broker open", async () => {
    const broker = new InMemoryBroker({ clock: new FakeClock() });
    const stem = new Stem({ broker });
    await stem.close();
    await stem.close();

    await expect(stem.enqueue("demo.a")).rejects.toThrow(ClosedError);
    await expect(stem.enqueueAll([{ name: "demo.a" }])).rejects.toThrow(ClosedError);
    expect(await broker.pendingCount("default")).toBe(0);
    await broker.close();
  });
});

describe("Stem.enqueue with a backend", () => {
  it("writes queued before the message", async () => {
    const clock = new FakeClock(START);
    const backend = new InMemoryResultBackend({ clock });
    const { stem, recording } = aProducer({ backend, clock });
    const seen: unknown[] = [];
    const publish = recording.broker.publish.bind(recording.broker);
    recording.broker.publish = async (envelope, options) => {
      seen.push(await backend.get(envelope.id));
      return publish(envelope, options);
    };
    const id = await stem.enqueue("demo.a", { meta: { tenant: "t1" }, options: { maxRetries: 2 } });

    expect(seen).toMatchObject([
      { id, state: "queued", attempt: 0, meta: { tenant: "t1", task: "demo.a", queue: "default", maxRetries: 2 } },
    ]);
    expect(await stem.getTask(id)).toEqual(seen[0]);
    await backend.close();
  });

  it.each([
    ["takes queued back when publishing had no effect", new EngineError("busy"), null],
    ["leaves queued when the outcome is unknown", new OutcomeUnknownError("publish"), "queued"],
    ["leaves queued when the error says nothing about the effect", new TypeError("?"), "queued"],
  ])("%s", async (_case, failure, state) => {
    const clock = new FakeClock(START);
    const backend = new InMemoryResultBackend({ clock });
    const { stem, recording } = aProducer({ backend, clock });
    recording.failure = failure;

    await expect(stem.enqueue("demo.a", { enqueueOptions: { taskId: "t1" } })).rejects.toBe(failure);
    expect((await backend.get("t1"))?.state ?? null).toBe(state);
    await backend.close();
  });

  it("leaves the status of a task that was there before", async () => {
    const clock = new FakeClock(START);
    const backend = new InMemoryResultBackend({ clock });
    await backend.set("t1", "running", { attempt: 0 });
    const { stem, recording } = aProducer({ backend, clock });
    recording.failure = new DuplicateIdConflictError("t1", "default");

    await expect(stem.enqueue("demo.a", { enqueueOptions: { taskId: "t1" } })).rejects.toThrow(
      DuplicateIdConflictError,
    );
    expect(await backend.get("t1")).toMatchObject({ state: "running" });
    await backend.close();
  });

  it("publishes nothing when queued cannot be written, and takes back what was", async () => {
    const clock = new FakeClock(START);
    const backend = new InMemoryResultBackend({ clock });
    const logger = new RecordingLogger();
    const { stem, recording } = aProducer({ backend, clock, logger });
    const set = backend.set.bind(backend);
    const failure = new EngineError("disk");
    backend.set = (id, ...rest) => (id === "bad" ? Promise.reject(failure) : set(id, ...rest));
    const requests = ["good", "bad"].map((taskId) => ({ name: "demo.a", enqueueOptions: { taskId } }));

    await expect(stem.enqueueAll(requests)).rejects.toBe(failure);
    expect(recording.published).toEqual([]);
    expect(await backend.get("good")).toBeNull();
    backend.expire = () => Promise.reject(failure);
    await expect(stem.enqueueAll(requests)).rejects.toBe(failure);
    expect(logger.records).toMatchObject([{ level: "warn", facts: { count: 1, error: failure } }]);
    await backend.close();
  });

  it("publishes the arguments as they were at the call", async () => {
    const clock = new FakeClock(START);
    const backend = new InMemoryResultBackend({ clock });
    const { stem, recording } = aProducer({ backend, clock });
    const args = { list: [1] };
    const enqueued = stem.enqueue("demo.a", { args });
    args.list.push(2);
    await enqueued;

    expect(recording.published[0]?.args).toEqual({ list: [1] });
    await backend.close();
  });

  it("takes queued back when the broker finds the payload too large", async () => {
    const clock = new FakeClock(START);
    const backend = new InMemoryResultBackend({ clock });
    const broker = new InMemoryBroker({ clock, maxPayloadBytes: 100 });
    const stem = new Stem({ broker, backend, clock });
    const options = { args: { text: "x".repeat(200) }, enqueueOptions: { taskId: "t1" } };

    await expect(stem.enqueue("demo.a", options)).rejects.toThrow(PayloadTooLargeError);
    expect(await backend.get("t1")).toBeNull();
    await backend.close();
    await broker.close();
  });
});

describe("Stem.enqueueAll", () => {
  it("publishes everything in one call and resolves to the ids in order", async () => {
    const { stem, recording } = aProducer();
    const ids = await stem.enqueueAll([
      { name: "demo.a", args: { n: 1 } },
      { name: "demo.b", enqueueOptions: { taskId: "mine", priority: 2 } },
      { name: "demo.a", args: { n: 2 } },
    ]);

    expect(ids).toEqual(["task-1", "mine", "task-2"]);
    expect(recording.calls).toEqual(["publishAll"]);
    expect(recording.published.map(({ id, name, priority }) => [id, name, priority])).toEqual([
      ["task-1", "demo.a", 0],
      ["mine", "demo.b", 2],
      ["task-2", "demo.a", 0],
    ]);
  });

  it("writes queued for each", async () => {
    const clock = new FakeClock(START);
    const backend = new InMemoryResultBackend({ clock });
    const { stem } = aProducer({ backend, clock });
    await stem.enqueueAll([{ name: "demo.a" }, { name: "demo.b" }]);

    expect(await backend.get("task-1")).toMatchObject({ state: "queued", meta: { task: "demo.a" } });
    expect(await backend.get("task-2")).toMatchObject({ state: "queued", meta: { task: "demo.b" } });
    await backend.close();
  });

  it("does nothing for an empty list", async () => {
    const { stem, recording } = aProducer();

    expect(await stem.enqueueAll([])).toEqual([]);
    expect(recording.calls).toEqual([]);
  });

  it("publishes nothing when one request is bad", async () => {
    const { stem, recording } = aProducer();
    const requests = [{ name: "demo.a" }, { name: "demo.a", args: [] as never }];

    await expect(stem.enqueueAll(requests)).rejects.toThrow(PayloadNotSerializableError);
    await expect(stem.enqueueAll([null as never])).rejects.toBeInstanceOf(StemError);
    await expect(stem.enqueueAll("demo.a" as never)).rejects.toMatchObject({ code: "STEM_INVALID_OPTION" });
    expect(recording.calls).toEqual([]);
  });
});
