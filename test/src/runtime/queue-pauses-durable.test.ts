import { describe, expect, it } from "vitest";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import { EngineError } from "../../../src/errors.ts";
import { aPauseRig, PAUSES } from "./pause-rig.ts";
import { aGate, START } from "./worker-rig.ts";

describe("A pause with a revoke store", () => {
  it("holds over a restart of the worker, until somebody resumes", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, another, enqueue, gate, ran, settle } = aPauseRig({ revokeStore });
    gate.open();
    await worker.start();
    expect(await worker.pauseQueue("a", { reason: "repair", requestedBy: "ops" })).toEqual({ persisted: true });
    expect(await revokeStore.get(PAUSES, "a")).toMatchObject({
      reason: "repair",
      requestedBy: "ops",
      terminate: false,
    });
    await worker.shutdown();
    await enqueue("a", "1");
    const next = another();
    const paused: unknown[] = [];
    next.on("queue-paused", ({ queue, reason, requestedBy }) => paused.push([queue, reason, requestedBy]));
    await next.start();
    await settle();
    expect(ran).toEqual([]);
    expect(next.pausedQueues).toEqual(["a"]);
    expect(paused).toEqual([["a", "repair", "ops"]]);

    await next.resumeQueue("a");
    await settle();
    expect(ran).toEqual(["a/1"]);
    expect(await revokeStore.get(PAUSES, "a")).toMatchObject({ expiresAt: new Date(START) });
    const last = another();
    await last.start();
    expect(last.pausedQueues).toEqual([]);
  });

  it("is followed by a second worker, which was told nothing", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, another, enqueue, gate, ran, settle } = aPauseRig({ revokeStore });
    gate.open();
    const second = another({ control: false });
    await Promise.all([worker.start(), second.start()]);
    await worker.pauseQueue("a");
    await settle();
    expect(second.pausedQueues).toEqual(["a"]);
    await enqueue("a", "1");
    await settle();
    expect(ran).toEqual([]);
    await second.resumeQueue("a");
    await settle();
    expect(worker.pausedQueues).toEqual([]);
    expect(ran).toEqual(["a/1"]);
  });

  it("is found within ten seconds when the push does not come", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const other = aPauseRig({ revokeStore });
    const silent = { next: () => new Promise<never>(() => undefined), [Symbol.asyncIterator]: () => silent };
    revokeStore.watch = () => ({ ...silent, return: async () => ({ done: true, value: undefined }) }) as never;
    await other.worker.start();
    const issuedAt = new Date(START);
    const entry = { namespace: PAUSES, taskId: "a", version: 1, issuedAt, terminate: false };
    await revokeStore.upsertAll([entry]);
    await other.clock.advance(10_000);
    expect(other.worker.pausedQueues).toEqual(["a"]);
    // Taken back, and cleared away, before this worker hears of it.
    await revokeStore.upsertAll([{ ...entry, version: 2, expiresAt: issuedAt }]);
    await revokeStore.pruneExpired(PAUSES, issuedAt);
    await other.clock.advance(10_000);
    expect(other.worker.pausedQueues).toEqual([]);
  });

  it("may end by itself", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, clock } = aPauseRig({ revokeStore });
    const issuedAt = new Date(START);
    const expiresAt = new Date(START + 5_000);
    await revokeStore.upsertAll([
      { namespace: PAUSES, taskId: "a", version: 1, issuedAt, expiresAt, terminate: false },
    ]);
    await worker.start();
    expect(worker.pausedQueues).toEqual(["a"]);
    await clock.advance(10_000);
    expect(worker.pausedQueues).toEqual([]);
  });

  it("wins over what was stored a moment ago by a process whose clock is ahead", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker } = aPauseRig({ revokeStore });
    const issuedAt = new Date(START + 60_000);
    const version = (START + 60_000) * 1_000;
    await revokeStore.upsertAll([
      { namespace: PAUSES, taskId: "a", version, issuedAt, expiresAt: issuedAt, terminate: false },
    ]);
    await worker.start();
    expect(worker.pausedQueues).toEqual([]);
    await worker.pauseQueue("a");
    expect(worker.pausedQueues).toEqual(["a"]);
  });

  it("has no effect when it cannot be stored", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker } = aPauseRig({ revokeStore });
    await worker.start();
    revokeStore.upsertAll = () => Promise.reject(new EngineError("busy"));
    await expect(worker.pauseQueue("a")).rejects.toMatchObject({ code: "STEM_ENGINE" });
    expect(worker.pausedQueues).toEqual([]);
  });

  it("keeps a worker from starting when it cannot be read, after a few tries", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const list = revokeStore.list.bind(revokeStore);
    let failures = 3;
    revokeStore.list = async (namespace) => {
      failures -= 1;
      if (failures >= 0) throw new EngineError("busy");
      return list(namespace);
    };
    const { worker, another, clock } = aPauseRig({ revokeStore });
    const starting = worker.start();
    const again = worker.start();
    await clock.advance(50 + 100 + 200);
    await Promise.all([starting, again]);
    failures = 100;
    const refused = expect(another().start()).rejects.toMatchObject({ code: "STEM_ENGINE" });
    await clock.advance(1_550);
    await refused;
  });

  it("is not waited for by a worker that is shut down while it starts", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const list = revokeStore.list.bind(revokeStore);
    const gate = aGate();
    revokeStore.list = async (namespace) => {
      await gate.passed;
      return list(namespace);
    };
    const { worker, enqueue, settle, ran } = aPauseRig({ revokeStore });
    const refused = expect(worker.start()).rejects.toMatchObject({ code: "STEM_CLOSED" });
    await worker.shutdown();
    gate.open();
    await refused;
    await enqueue("a", "1");
    await settle();
    expect(ran).toEqual([]);
  });
});
