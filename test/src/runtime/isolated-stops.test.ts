import { describe, expect, it } from "vitest";
import type { RevokeEntry } from "../../../src/contracts/revoke-store.ts";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { ClosedError, LeaseLostError, TaskRevokedError, TimeoutError } from "../../../src/errors.ts";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import { aGatedFunction, anIsolateRig, type IsolateRig } from "./isolate-rig.ts";
import { LEASE_MS, type RigOptions, START } from "./worker-rig.ts";

/** What a handler that ignores its signal may take, once it works for nothing. */
const GRACE_MS = 5_000;

function aRevocation(taskId: string): RevokeEntry {
  const entry = { namespace: "stem", taskId, version: 1, issuedAt: new Date(START), terminate: true };
  return { ...entry, reason: "obsolete", requestedBy: "ops" };
}

/** A rig whose one task has begun and waits at its gate. */
async function aStartedRig(options: RigOptions = {}, limits: { softTimeLimit?: number; hardTimeLimit?: number } = {}) {
  const { gate, contexts, work } = aGatedFunction();
  const revokeStore = new InMemoryRevokeStore();
  const rig = anIsolateRig(work, limits, { revokeStore, heartbeatInterval: 10 * LEASE_MS, ...options });
  await rig.worker.start();
  const id = await rig.stem.enqueue("demo.a");
  await rig.settle();
  const [context] = contexts as [TaskContext];
  return { ...rig, revokeStore, gate, context, contexts, id };
}

async function loseLease({ broker, clock }: IsolateRig): Promise<void> {
  const renew = broker.extendLease.bind(broker);
  broker.extendLease = async (delivery) => {
    throw new LeaseLostError(delivery.envelope.id, delivery.envelope.queue);
  };
  await clock.advance(LEASE_MS / 3);
  broker.extendLease = renew;
}

describe("A handler in a thread that is revoked with terminate", () => {
  it("has its signal fire and its checkpoints throw the typed error, and ends as cancelled", async () => {
    const { revokeStore, context, id, settle, gate, backend, isolates } = await aStartedRig();
    const { signal } = context;
    const fired: unknown[] = [];
    signal.addEventListener("abort", () => fired.push(signal.reason));
    await revokeStore.upsertAll([aRevocation(id)]);
    await settle();

    expect(fired).toHaveLength(1);
    expect(fired[0]).toBeInstanceOf(TaskRevokedError);
    expect(fired[0]).toMatchObject({ code: "STEM_TASK_REVOKED", details: { taskId: id, reason: "obsolete" } });
    expect(() => context.heartbeat()).toThrow(TaskRevokedError);
    expect(() => context.progress(1)).toThrow(/was revoked: obsolete/);
    await expect(context.extendLease(1)).rejects.toThrow(TaskRevokedError);
    gate.open();
    await settle();
    expect(await backend.get(id)).toMatchObject({ state: "cancelled", meta: { revokedBy: "ops" } });
    expect(isolates.living).toEqual([true]);
  });

  it("is ended by force when it takes no notice", async () => {
    const { revokeStore, id, clock, backend, isolates, types } = await aStartedRig();
    await revokeStore.upsertAll([aRevocation(id)]);
    await clock.advance(GRACE_MS - 1);
    expect(isolates.living).toEqual([true]);
    await clock.advance(1);

    expect(isolates.living).toEqual([false]);
    expect(await backend.get(id)).toMatchObject({ state: "cancelled" });
    expect(types()).toEqual(["started", "revoked"]);
  });

  it("sees it at its checkpoints even when no message comes through", async () => {
    const { revokeStore, id, context, settle, gate, isolates } = await aStartedRig();
    const { signal } = context;
    for (const thread of isolates.threads) thread.isDeaf = true;
    await revokeStore.upsertAll([aRevocation(id)]);
    await settle();

    expect(signal.aborted).toBe(false);
    expect(() => context.heartbeat()).toThrow(TaskRevokedError);
    expect(signal.reason).toBeInstanceOf(TaskRevokedError);
    gate.open();
    await settle();
  });

  it("sees a reason of any length", async () => {
    const { revokeStore, id, context, settle, gate } = await aStartedRig();
    await revokeStore.upsertAll([{ ...aRevocation(id), reason: "\u0000\ud800".repeat(1_000) }]);
    await settle();

    expect(() => context.heartbeat()).toThrow(TaskRevokedError);
    gate.open();
    await settle();
  });
});

describe("A handler in a thread that lost its lease", () => {
  it("has its signal fire and its checkpoints throw, and stores nothing", async () => {
    const rig = await aStartedRig();
    const { context, settle, gate, backend, id, types, isolates } = rig;
    await loseLease(rig);

    expect(context.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(() => context.heartbeat()).toThrow(LeaseLostError);
    gate.open();
    await settle();
    expect(await backend.get(id)).toMatchObject({ state: "running" });
    expect(types()).toEqual(["started", "lease-lost"]);
    expect(isolates.living).toEqual([true]);
  });

  it("is ended by force when it takes no notice", async () => {
    const rig = await aStartedRig();
    await loseLease(rig);
    await rig.clock.advance(GRACE_MS);

    expect(rig.isolates.living).toEqual([false]);
    expect(rig.types()).toEqual(["started", "lease-lost"]);
  });

  it("is told so by its own prolongation", async () => {
    const { context, broker, settle, gate, types } = await aStartedRig();
    broker.extendLease = async (delivery) => {
      throw new LeaseLostError(delivery.envelope.id, delivery.envelope.queue);
    };
    const refused = context.extendLease(60_000);
    const seen = expect(refused).rejects.toThrow(LeaseLostError);
    await settle();
    await seen;

    expect(types()).toEqual(["started", "lease-lost"]);
    gate.open();
    await settle();
  });
});

describe("The time limits of a handler in a thread", () => {
  it("soft: fire its signal, and let it go on", async () => {
    const { context, clock, gate, settle, stem, id, isolates } = await aStartedRig({}, { softTimeLimit: 500 });
    await clock.advance(60_000);

    expect(context.signal.reason).toBeInstanceOf(TimeoutError);
    expect(() => context.heartbeat()).not.toThrow();
    expect(isolates.living).toEqual([true]);
    gate.open();
    await settle();
    expect((await stem.waitForTask(id)).value).toBe("late");
  });

  it("soft, then a revocation: the signal's reason stays, and checkpoints throw the later one", async () => {
    const { context, clock, gate, settle, revokeStore, id } = await aStartedRig({}, { softTimeLimit: 500 });
    await clock.advance(500);
    await revokeStore.upsertAll([aRevocation(id)]);
    await settle();

    expect(() => context.heartbeat()).toThrow(TaskRevokedError);
    expect(context.signal.reason).toBeInstanceOf(TimeoutError);
    gate.open();
    await settle();
  });

  it("hard: end its thread, fail the attempt and give its slot to the next one in a new thread", async () => {
    const { clock, stem, id, backend, isolates, contexts, gate, settle } = await aStartedRig(
      { concurrency: 1 },
      { hardTimeLimit: 500 },
    );
    const next = await stem.enqueue("demo.a");
    await clock.advance(500);

    expect(await backend.get(id)).toMatchObject({ state: "failed", error: { type: "TimeoutError" } });
    expect(contexts.map((context) => context.id)).toEqual([id, next]);
    expect(isolates.living).toEqual([false, true]);
    gate.open();
    await settle();
    expect((await stem.waitForTask(next)).value).toBe("late");
  });
});

describe("A worker that shuts down", () => {
  it("warm: waits for handlers in threads, then ends the threads", async () => {
    const { worker, clock, gate, settle, stem, id, isolates } = await aStartedRig();
    let isOver = false;
    const ended = worker.shutdown().then(() => (isOver = true));
    await clock.advance(10 * 60_000);
    expect(isOver).toBe(false);
    gate.open();
    await settle();
    await ended;

    expect((await stem.waitForTask(id)).value).toBe("late");
    expect(isolates.living).toEqual([false]);
  });

  it("soft: fires their signals, and after the grace period gives the messages back", async () => {
    const lifecycle = { softGracePeriod: 20_000 };
    const { worker, broker, clock, context, isolates } = await aStartedRig({ lifecycle });
    const ended = worker.shutdown({ mode: "soft" });
    await clock.advance(19_999);

    expect(context.signal.reason).toBeInstanceOf(ClosedError);
    expect(() => context.heartbeat()).toThrow(ClosedError);
    expect(isolates.living).toEqual([true]);
    await clock.advance(1);
    await ended;
    expect(isolates.living).toEqual([false]);
    expect(await broker.pendingCount("default")).toBe(1);
  });

  it("hard: ends their threads at once and gives the messages back", async () => {
    const { worker, broker, settle, isolates, types } = await aStartedRig();
    const ended = worker.shutdown({ mode: "hard" });
    await settle();
    await ended;

    expect(isolates.living).toEqual([false]);
    expect(await broker.pendingCount("default")).toBe(1);
    expect(types()).toEqual(["started"]);
  });

  it("does not wait for ever for a thread that cannot be ended", async () => {
    const { worker, broker, clock, isolates } = await aStartedRig({ lifecycle: { forceShutdownAfter: 7_000 } });
    for (const thread of isolates.threads) thread.isStuck = true;
    let isOver = false;
    const ended = worker.shutdown({ mode: "hard" }).then(() => (isOver = true));
    await clock.advance(6_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await ended;

    expect(await broker.pendingCount("default")).toBe(1);
  });
});
