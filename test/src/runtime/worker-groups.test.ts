import { describe, expect, it } from "vitest";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import type { TaskState } from "../../../src/core/task-state.ts";
import { EngineError } from "../../../src/errors.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aWorkerRig, START } from "./worker-rig.ts";

const TASKS = [
  defineTask("demo.good", async () => 42),
  defineTask("demo.bad", async (): Promise<void> => {
    throw new Error("boom");
  }),
  defineTask("demo.again", async (context): Promise<void> => context.retry({ countdown: 60_000 })),
  defineTask("demo.unstorable", async () => Number.NaN),
];

describe("A group member", () => {
  const cases: readonly (readonly [label: string, name: string, meta: Record<string, string>, state: TaskState])[] = [
    ["that succeeds", "demo.good", {}, "succeeded"],
    ["that fails for good", "demo.bad", {}, "failed"],
    ["whose asked-for retries are used up", "demo.again", {}, "failed"],
    ["whose result cannot be stored", "demo.unstorable", {}, "failed"],
    ["that no handler is registered for", "demo.unknown", {}, "failed"],
    ["that has expired", "demo.good", { "stem.expiresAt": new Date(START).toISOString() }, "cancelled"],
    ["that was revoked", "demo.good", { revoke: "yes" }, "cancelled"],
  ];
  it.each(cases)("%s reports to its group", async (_label, name, meta, state) => {
    const revokeStore = new InMemoryRevokeStore();
    const { worker, broker, backend, settle } = aWorkerRig(TASKS, { revokeStore });
    await backend.initGroup({ id: "g1", expected: 1 });
    const envelope = createEnvelope({ name, headers: { "stem-group-id": "g1" }, meta });
    if ("revoke" in meta) {
      const entry = { namespace: "stem", taskId: envelope.id, version: 1, issuedAt: new Date(START), terminate: false };
      await revokeStore.upsertAll([entry]);
    }
    await broker.publish(envelope);
    await worker.start();
    await settle();
    const group = await backend.getGroup("g1");

    expect(group).toMatchObject({ completed: 1, isComplete: true });
    expect(group?.results.get(envelope.id)).toMatchObject({ id: envelope.id, state });
    expect(group?.results.get(envelope.id)).toEqual(await backend.get(envelope.id));
  });

  it("that is retried reports nothing yet", async () => {
    const { worker, broker, backend, settle } = aWorkerRig(TASKS);
    await backend.initGroup({ id: "g1", expected: 1 });
    await broker.publish(createEnvelope({ name: "demo.again", headers: { "stem-group-id": "g1" }, maxRetries: 1 }));
    await worker.start();
    await settle();

    expect(await backend.getGroup("g1")).toMatchObject({ completed: 0 });
  });

  it("reports again when the group could not be written", async () => {
    const { worker, broker, backend, clock } = aWorkerRig(TASKS);
    await backend.initGroup({ id: "g1", expected: 1 });
    const add = backend.addGroupResult.bind(backend);
    backend.addGroupResult = () => {
      backend.addGroupResult = add;
      return Promise.reject(new EngineError("busy", { retryable: true }));
    };
    await broker.publish(createEnvelope({ name: "demo.good", headers: { "stem-group-id": "g1" } }));
    await worker.start();
    await clock.advance(50);

    expect(await backend.getGroup("g1")).toMatchObject({ completed: 1 });
    expect(await broker.inflightCount("default")).toBe(0);
  });

  it.each(["unknown", "no name", ""])("of the group %j, which there is not, ends like any task", async (groupId) => {
    const { worker, broker, stem } = aWorkerRig(TASKS);
    const envelope = createEnvelope({ name: "demo.good", headers: { "stem-group-id": groupId } });
    await broker.publish(envelope);
    await worker.start();

    expect((await stem.waitForTask(envelope.id)).value).toBe(42);
  });
});
