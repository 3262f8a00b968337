import { describe, expect, it } from "vitest";
import { InMemoryBroker } from "../../../adapters/memory/index.ts";
import { SqliteBroker, SqliteWorkflowStore, type SqliteWorkflowStoreOptions } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { createEnvelope } from "../../../src/ports/create-envelope.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { nextValue, settleWith } from "../../contract/support.ts";
import { describeWorkflowStoreContract } from "../../contract/workflow-store/index.ts";
import { aRun, aStep, LEASE } from "../../contract/workflow-store/workflow-store-bench.ts";
import { expectError } from "../../contract/support.ts";
import { inMemory, onClock, onFiles, POLL_INTERVAL } from "./open-sqlite.ts";
import { openDispatchingWorkflowStores, openSqliteWorkflowStores } from "./open-sqlite-workflows.ts";

describeWorkflowStoreContract("SqliteWorkflowStore in memory", openSqliteWorkflowStores(inMemory));
describeWorkflowStoreContract("SqliteWorkflowStore on files", openSqliteWorkflowStores(onFiles));
describeWorkflowStoreContract("SqliteWorkflowStore beside its broker", openDispatchingWorkflowStores(inMemory));

/** A store and a broker on one database in memory. */
async function openBoth(clock: FakeClock, options: SqliteWorkflowStoreOptions = {}) {
  const connection = onClock(clock, memoryStorage());
  const store = await SqliteWorkflowStore.open("both.sqlite", { ...connection, cleanupInterval: 0, ...options });
  const quiet = { pollInterval: POLL_INTERVAL, sweeperInterval: 0 };
  const broker = await SqliteBroker.open("both.sqlite", { ...connection, ...quiet, namespace: "mine" });
  return {
    store,
    broker,
    async [Symbol.asyncDispose]() {
      await broker.close();
      await store.close();
    },
  };
}

describe("SqliteWorkflowStore.dispatchTo", () => {
  it("says no to brokers on other databases and of other kinds, and goes on with the outbox", async () => {
    const connection = { engine: "inline", logger: silentLogger } as const;
    await using store = await SqliteWorkflowStore.open(":memory:", connection);
    await using apart = await SqliteBroker.open(":memory:", connection);
    await using inMemoryBroker = new InMemoryBroker();
    expect([store.dispatchTo(apart), store.dispatchTo(inMemoryBroker)]).toEqual([false, false]);
    await store.createRun(aRun("r1"));
    expect(await store.pendingContinuations(9)).toHaveLength(1);
  });

  it("wakes a waiting consumer of the broker in the commit that makes a run", async () => {
    const clock = new FakeClock();
    await using both = await openBoth(clock);
    const { store, broker } = both;
    expect(store.dispatchTo(broker)).toBe(true);
    const settle = settleWith(clock, () => store.get("settle"));
    const deliveries = broker.consume({ queues: ["wf"] });
    const first = nextValue(deliveries, settle, "the message");
    await store.createRun(aRun("r1"));
    const { envelope } = await first;
    expect(envelope).toMatchObject({ id: "r1:1", name: "stem.workflow.run", args: { runId: "r1", continuation: 1 } });
    expect(envelope.meta["stem.workflow.continuationReason"]).toBe("start");
    expect(await store.pendingContinuations(9)).toEqual([]);
    await deliveries.return();
  });

  it("keeps one message for each run: what is superseded is deleted unless it is held", async () => {
    const clock = new FakeClock();
    await using both = await openBoth(clock);
    const { store, broker } = both;
    store.dispatchTo(broker);
    const claimed = async () => {
      const outcome = await store.claimRun("r1", { ownerId: "w", leaseDuration: LEASE });
      if (outcome.kind !== "claimed") throw new Error("It is not claimed.");
      return outcome.claim;
    };
    await store.createRun(aRun("r1"));
    const resumeAt = new Date(clock.now() + 1_000);
    await store.suspend(await claimed(), [{ step: "e", kind: "event", topic: "t", resumeAt }]);
    expect(await broker.pendingCount("wf")).toBe(0);
    await store.emit("t", 1);
    expect(await broker.pendingCount("wf-cont")).toBe(1);
    await clock.advance(2_000);
    expect(await broker.pendingCount("wf-cont")).toBe(1);
    await store.cancel("r1");
    expect(await broker.pendingCount("wf-cont")).toBe(0);
  });

  it("takes the next number when a message of that id is somebody else's", async () => {
    await using both = await openBoth(new FakeClock());
    const { store, broker } = both;
    store.dispatchTo(broker);
    await broker.publish(createEnvelope({ id: "r1:1", name: "mine", queue: "other" }));
    await store.createRun(aRun("r1"));
    expect((await store.get("r1"))?.continuation).toBe(2);
    expect(await broker.pendingCount("other")).toBe(1);
    expect((await store.claimRun("r1", { ownerId: "w", leaseDuration: LEASE, continuation: 2 })).kind).toBe("claimed");
  });

  it("does not take a message that waits in a long queue for a lost one", async () => {
    const clock = new FakeClock();
    await using both = await openBoth(clock);
    const { store, broker } = both;
    store.dispatchTo(broker);
    const recover = () => store.recoverRuns({ grace: 1_000, maxRecoveries: 3, limit: 9 });
    for (const runId of ["r1", "r2"]) await store.createRun(aRun(runId));
    await clock.advance(100_000);
    expect(await recover()).toEqual([]);
    expect(await broker.purge("wf")).toBe(2);
    expect(await recover()).toEqual(["r1", "r2"]);
    expect(await broker.pendingCount("wf-cont")).toBe(2);
  });
});

describe("SqliteWorkflowStore", () => {
  it("connects by URL, and finds what was stored", async () => {
    const storage = memoryStorage();
    const connection = onClock(new FakeClock(), storage);
    await using store = await SqliteWorkflowStore.connect("sqlite:///flows.db", connection);
    await store.createRun(aRun("r1"));
    await using same = await SqliteWorkflowStore.open("/flows.db", connection);
    expect((await same.get("r1"))?.workflow).toBe("order");
    expect((await same.health()).role).toBe("owner");
  });

  it.each([
    [{ namespace: "a b" }, "STEM_INVALID_NAME"],
    [{ defaultRunTtl: -1 }, "STEM_INVALID_OPTION"],
    [{ eventTtl: Number.NaN }, "STEM_INVALID_OPTION"],
    [{ cleanupInterval: -1 }, "STEM_INVALID_OPTION"],
    [{ maxPayloadBytes: 0 }, "STEM_INVALID_OPTION"],
    [{ pollInterval: 1 }, "STEM_INVALID_OPTION"],
  ] as const)("refuses the options %j before it opens anything", async (options, code) => {
    await expectError(() => SqliteWorkflowStore.open(":memory:", options as SqliteWorkflowStoreOptions), code);
  });

  it("tells a watch that begins in the same turn of what follows in it, and of nothing twice", async () => {
    const clock = new FakeClock();
    await using both = await openBoth(clock);
    const { store } = both;
    await store.createRun(aRun("r1"));
    const outcome = await store.claimRun("r1", { ownerId: "w", leaseDuration: LEASE });
    if (outcome.kind !== "claimed") throw new Error("It is not claimed.");
    const save = (name: string) => store.saveStep(outcome.claim, aStep(name), { leaseDuration: LEASE });
    const before = save("a");
    const states = store.watch("r1");
    await Promise.all([before, save("b"), save("c"), store.markCompleted(outcome.claim, 1)]);
    const cursors: number[] = [];
    for await (const { cursor, status } of states) cursors.push(status === "completed" ? -cursor : cursor);
    expect(cursors).toEqual([1, 2, 3, -3]);
  });
});
