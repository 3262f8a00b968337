import { describe, expect, it } from "vitest";
import type { RevokeEntry } from "../../../src/contracts/revoke-store.ts";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { EngineError, TaskRevokedError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import { aGate, aWorkerRig, START } from "./worker-rig.ts";

let version = 0;
function aRevocation(taskId: string, changes: Partial<RevokeEntry> = {}): RevokeEntry {
  version += 1;
  return { namespace: "stem", taskId, version, issuedAt: new Date(START), terminate: false, ...changes };
}

function aRevocableRig(options: Parameters<typeof aWorkerRig>[1] = {}) {
  const gate = aGate();
  const contexts: TaskContext[] = [];
  const task = defineTask("demo.a", async (context) => {
    contexts.push(context);
    await gate.passed;
    return "done";
  });
  const revokeStore = new InMemoryRevokeStore();
  const rig = aWorkerRig([task], { revokeStore, ...options });
  return { ...rig, revokeStore, gate, contexts };
}

describe("A revoked task", () => {
  it("that has not begun never runs and ends as cancelled", async () => {
    const { worker, stem, broker, revokeStore, contexts, types } = aRevocableRig();
    const id = await stem.enqueue("demo.a", { meta: { a: 1 } });
    await revokeStore.upsertAll([aRevocation(id, { reason: "obsolete", requestedBy: "ops" })]);
    await worker.start();
    const { status } = await stem.waitForTask(id);

    expect(status).toMatchObject({
      state: "cancelled",
      meta: {
        a: 1,
        revoked: true,
        revokedReason: "obsolete",
        revokedBy: "ops",
        revokedAt: new Date(START).toISOString(),
      },
    });
    expect(contexts).toEqual([]);
    await worker.shutdown();
    expect(types()).toEqual(["revoked"]);
    expect(await broker.pendingCount("default")).toBe(0);
  });

  it("never runs when it is revoked while the worker already holds it", async () => {
    const { worker, stem, revokeStore, contexts, gate, settle, backend } = aRevocableRig({
      concurrency: 1,
      prefetch: 2,
    });
    await worker.start();
    const [first, second] = (await stem.enqueueAll([{ name: "demo.a" }, { name: "demo.a" }])) as [string, string];
    await settle();
    await revokeStore.upsertAll([aRevocation(second)]);
    gate.open();
    await settle();

    expect(contexts.map(({ id }) => id)).toEqual([first]);
    expect(await backend.get(second)).toMatchObject({ state: "cancelled" });
  });

  it("that runs goes on unless it is to be terminated", async () => {
    const { worker, stem, revokeStore, contexts, gate, settle, clock } = aRevocableRig();
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    await revokeStore.upsertAll([aRevocation(id)]);
    await clock.advance(5_000);
    expect(contexts[0]?.signal.aborted).toBe(false);
    gate.open();
    await settle();

    expect((await stem.waitForTask(id)).value).toBe("done");
  });

  it("that is to be terminated gets its signal at once, and ends as cancelled whatever it returns", async () => {
    const { worker, stem, revokeStore, contexts, gate, settle, types } = aRevocableRig();
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    await revokeStore.upsertAll([aRevocation(id, { terminate: true, reason: "wrong", requestedBy: "ops" })]);
    await settle();

    expect(contexts[0]?.signal.reason).toBeInstanceOf(TaskRevokedError);
    expect(contexts[0]?.signal.reason).toMatchObject({ details: { reason: "wrong", requestedBy: "ops" } });
    expect(() => contexts[0]?.progress(0.1)).toThrow(TaskRevokedError);
    gate.open();
    const { status } = await stem.waitForTask(id);
    expect(status).toMatchObject({ state: "cancelled", meta: { revoked: true, revokedReason: "wrong" } });
    expect(status).not.toHaveProperty("payload");
    await settle();
    expect(types()).toEqual(["started", "revoked"]);
  });

  it("is noticed within a second when the push does not come", async () => {
    const { worker, stem, revokeStore, contexts, gate, settle, clock } = aRevocableRig();
    const silent = { next: () => new Promise<never>(() => undefined), [Symbol.asyncIterator]: () => silent };
    revokeStore.watch = () => ({ ...silent, return: async () => ({ done: true, value: undefined }) }) as never;
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    await revokeStore.upsertAll([aRevocation(id, { terminate: true })]);
    await clock.advance(1_000);

    expect(contexts[0]?.signal.aborted).toBe(true);
    gate.open();
    await settle();
    expect((await stem.waitForTask(id)).isCancelled).toBe(true);
  });

  it("runs when the entry has expired", async () => {
    const { worker, stem, revokeStore, gate } = aRevocableRig();
    gate.open();
    const id = await stem.enqueue("demo.a");
    await revokeStore.upsertAll([aRevocation(id, { expiresAt: new Date(START) })]);
    await worker.start();

    expect((await stem.waitForTask(id)).value).toBe("done");
  });

  it("of another namespace is another task", async () => {
    const { worker, stem, revokeStore, gate } = aRevocableRig();
    gate.open();
    const id = await stem.enqueue("demo.a");
    await revokeStore.upsertAll([aRevocation(id, { namespace: "other", terminate: true })]);
    await worker.start();

    expect((await stem.waitForTask(id)).value).toBe("done");
  });
});

describe("A revoke store that fails", () => {
  it("is asked again before the task starts", async () => {
    const { worker, stem, revokeStore, gate, clock, types } = aRevocableRig();
    gate.open();
    const get = revokeStore.get.bind(revokeStore);
    let failures = 3;
    revokeStore.get = async (...key) => {
      failures -= 1;
      if (failures >= 0) throw new EngineError("busy");
      return get(...key);
    };
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await clock.advance(50 + 100 + 200);

    expect((await stem.waitForTask(id)).value).toBe("done");
    expect(types()).toEqual(["started", "completed"]);
  });

  it("keeps the task from running: it goes back uncounted", async () => {
    const { worker, stem, revokeStore, clock, contexts, types, gate } = aRevocableRig({ maxDeliveries: 1 });
    gate.open();
    const get = revokeStore.get.bind(revokeStore);
    revokeStore.get = () => Promise.reject(new EngineError("busy"));
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await clock.advance(1_550);
    expect(types()).toEqual(["error"]);
    expect(contexts).toEqual([]);
    revokeStore.get = get;
    await clock.advance(50);

    expect((await stem.waitForTask(id)).value).toBe("done");
    expect(contexts[0]?.deliveries).toBe(1);
  });

  it("is watched again after its watch failed", async () => {
    const { worker, stem, revokeStore, contexts, settle, clock, types, gate } = aRevocableRig();
    const watch = revokeStore.watch.bind(revokeStore);
    revokeStore.watch = () => {
      revokeStore.watch = watch;
      throw new EngineError("busy");
    };
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await clock.advance(1_000);
    await revokeStore.upsertAll([aRevocation(id, { terminate: true })]);
    await settle();

    expect(contexts[0]?.signal.aborted).toBe(true);
    expect(types()).toEqual(["error", "started"]);
    gate.open();
    await settle();
  });
});
