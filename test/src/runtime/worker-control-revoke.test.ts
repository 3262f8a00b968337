import { describe, expect, it } from "vitest";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { EngineError, TaskRevokedError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { generateRevokeVersion } from "../../../src/runtime/revoke-version.ts";
import { aControlRig, only } from "./control-rig.ts";
import { aGate, START } from "./worker-rig.ts";

const NOW = new Date(START).toISOString();

function aRig(options: Parameters<typeof aControlRig>[1] = {}) {
  const gate = aGate();
  const contexts: TaskContext[] = [];
  const task = defineTask("demo.a", async (context) => {
    contexts.push(context);
    await gate.passed;
    return "done";
  });
  return { ...aControlRig([task], { concurrency: 1, prefetch: 4, ...options }), gate, contexts };
}

/** With and without a store, a revocation does the same to the tasks of the workers that hear of it. */
const STORES = [
  ["with a revoke store", () => ({ revokeStore: new InMemoryRevokeStore() })],
  ["without one", () => ({})],
] as const;

describe.each(STORES)("A revocation by control, %s,", (_name, options) => {
  it("keeps a task that comes later from running", async () => {
    const { worker, control, stem, contexts, gate } = aRig(options());
    gate.open();
    await worker.start();
    await control.revoke("job-1", { expect: 1, reason: "obsolete", requestedBy: "ops" });
    await stem.enqueue("demo.a", { enqueueOptions: { taskId: "job-1" } });

    const { status } = await stem.waitForTask("job-1");
    expect(status).toMatchObject({
      state: "cancelled",
      meta: { revoked: true, revokedReason: "obsolete", revokedBy: "ops", revokedAt: NOW },
    });
    expect(contexts).toEqual([]);
  });

  it("keeps a task that the worker holds from running", async () => {
    const { worker, control, stem, contexts, gate, settle, backend } = aRig(options());
    await worker.start();
    const [first, second] = (await stem.enqueueAll([{ name: "demo.a" }, { name: "demo.a" }])) as [string, string];
    await settle();
    const reply = only(await control.revoke([second], { expect: 1 }));
    expect(reply).toMatchObject({ revoked: [second], inflight: [] });
    gate.open();
    await settle();

    expect(contexts.map(({ id }) => id)).toEqual([first]);
    expect(await backend.get(second)).toMatchObject({ state: "cancelled" });
  });

  it("lets a running task be unless it says terminate; then its signal fires at once", async () => {
    const { worker, control, stem, contexts, gate, settle, backend } = aRig(options());
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    expect(only(await control.revoke(id, { expect: 1 }))).toMatchObject({ revoked: [id], inflight: [id] });
    expect(contexts[0]?.signal.aborted).toBe(false);
    await control.revoke(id, { expect: 1, terminate: true, reason: "wrong" });
    expect(contexts[0]?.signal.reason).toBeInstanceOf(TaskRevokedError);
    gate.open();
    await settle();

    expect(await backend.get(id)).toMatchObject({ state: "cancelled", meta: { revokedReason: "wrong" } });
  });

  it("gives way to a newer one only", async () => {
    const { worker, control, stem, gate } = aRig(options());
    gate.open();
    await worker.start();
    const past = new Date(START);
    await control.revoke({ taskId: "job-1", version: 10 }, { expect: 1 });
    const older = only(await control.revoke({ taskId: "job-1", version: 9, expiresAt: past }, { expect: 1 }));
    expect(older).toMatchObject({ revoked: ["job-1"], ignored: ["job-1"], expired: [], latestVersion: 10 });
    const newer = only(await control.revoke({ taskId: "job-1", version: 11, expiresAt: past }, { expect: 1 }));
    expect(newer).toMatchObject({ revoked: [], ignored: [], expired: ["job-1"], latestVersion: 11 });
    await stem.enqueue("demo.a", { enqueueOptions: { taskId: "job-1" } });

    expect((await stem.waitForTask("job-1")).value).toBe("done");
  });

  it("is shown to whoever inspects, while it is in force", async () => {
    const { worker, control, clock } = aRig(options());
    await worker.start();
    const expiresAt = new Date(START + 1_000);
    await control.revoke(
      [
        { taskId: "a", version: 1, expiresAt },
        { taskId: "b", version: 2, terminate: true },
      ],
      {
        expect: 1,
        requestedBy: "ops",
      },
    );
    const both = only(await control.inspect({ expect: 1 }));
    const common = { namespace: "stem", issuedAt: NOW, requestedBy: "ops" };
    expect(both.revoked).toEqual([
      { ...common, taskId: "b", version: 2, terminate: true },
      { ...common, taskId: "a", version: 1, terminate: false, expiresAt: expiresAt.toISOString() },
    ]);
    expect(only(await control.inspect({ expect: 1, includeRevoked: false })).revoked).toEqual([]);
    await clock.advance(1_000);
    expect(only(await control.inspect({ expect: 1 })).revoked.map(({ taskId }) => taskId)).toEqual(["b"]);
  });

  it("that is given up again lets a task run", async () => {
    const { worker, control, stem, gate, clock } = aRig(options());
    gate.open();
    await worker.start();
    await control.revoke({ taskId: "job-1", expiresAt: new Date(START + 1_000) }, { expect: 1 });
    await clock.advance(1_000);
    await stem.enqueue("demo.a", { enqueueOptions: { taskId: "job-1" } });
    expect((await stem.waitForTask("job-1")).value).toBe("done");
  });
});

describe("A revocation by control", () => {
  it("is stored once, however many workers hear of it", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, another, control } = aRig({ revokeStore });
    await Promise.all([worker.start(), another({ revokeStore, control: true }).start()]);
    const watch = revokeStore.watch("stem");
    const replies = await control.revoke("job-1", { expect: 2, reason: "obsolete" });

    expect(replies.map(({ status }) => status)).toEqual(["ok", "ok"]);
    for (const reply of replies) {
      expect(reply).toMatchObject({
        payload: { namespace: "stem", tasks: 1, revoked: ["job-1"], ignored: [], expired: [], persisted: true },
      });
    }
    expect((await watch.next()).value).toMatchObject({
      taskId: "job-1",
      reason: "obsolete",
      issuedAt: new Date(START),
    });
    await watch.return?.();
    expect(await revokeStore.list("stem")).toHaveLength(1);
  });

  it("is not persisted without a store", async () => {
    const { worker, control } = aRig();
    await worker.start();
    expect(only(await control.revoke("job-1", { expect: 1 })).persisted).toBe(false);
  });

  it("reaches only a worker that is meant, but through a store every one", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, another, control, stem, settle, contexts, gate } = aRig({ revokeStore });
    await Promise.all([worker.start(), another({ queue: "elsewhere" }).start()]);
    const id = await stem.enqueue("demo.a");
    await settle();
    await control.revoke(id, { targets: ["worker-2"], terminate: true });
    expect(contexts[0]?.signal.aborted).toBe(false);
    const third = another({ queue: "third", revokeStore });
    await third.start();
    await control.revoke(id, { targets: ["worker-3"], terminate: true });
    await settle();
    expect(contexts[0]?.signal.aborted).toBe(true);
    gate.open();
  });

  it("is an error, and stops nothing, when it cannot be stored", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, control, stem, settle, contexts, types, gate } = aRig({ revokeStore });
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await settle();
    revokeStore.upsertAll = () => Promise.reject(new EngineError("busy"));
    expect(await control.revoke(id, { expect: 1, terminate: true })).toMatchObject([
      { status: "error", error: expect.stringMatching(/busy/) },
    ]);
    expect(contexts[0]?.signal.aborted).toBe(false);
    expect(types()).toEqual(["started", "error"]);
    gate.open();
  });

  it("that comes while the worker asks the store keeps the task from running", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const asked = aGate();
    const answered = aGate();
    const get = revokeStore.get.bind(revokeStore);
    revokeStore.get = async (...key) => {
      const entry = await get(...key);
      asked.open();
      await answered.passed;
      return entry;
    };
    const { worker, control, stem, contexts, gate } = aRig({ revokeStore });
    gate.open();
    await worker.start();
    const id = await stem.enqueue("demo.a");
    await asked.passed;
    await control.revoke(id, { expect: 1 });
    answered.open();

    expect((await stem.waitForTask(id)).isCancelled).toBe(true);
    expect(contexts).toEqual([]);
  });

  it("of another namespace is stored there, and touches no task here", async () => {
    const revokeStore = new InMemoryRevokeStore();
    const rig = aRig({ revokeStore });
    await rig.worker.start();
    const entry = { namespace: "other", taskId: "job-1", version: generateRevokeVersion(rig.clock), terminate: true };
    await revokeStore.upsertAll([{ ...entry, issuedAt: new Date(START) }]);
    rig.gate.open();
    await rig.stem.enqueue("demo.a", { enqueueOptions: { taskId: "job-1" } });
    expect((await rig.stem.waitForTask("job-1")).value).toBe("done");
  });
});
