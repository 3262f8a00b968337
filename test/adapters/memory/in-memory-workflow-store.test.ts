import { describe, expect, it } from "vitest";
import { InMemoryBroker, InMemoryWorkflowStore } from "../../../adapters/memory/index.ts";
import { describeWorkflowStoreContract } from "../../contract/workflow-store/index.ts";
import { aRun } from "../../contract/workflow-store/workflow-store-bench.ts";
import { openInMemoryWorkflowStores } from "./open-in-memory.ts";

describeWorkflowStoreContract("InMemoryWorkflowStore", openInMemoryWorkflowStores);

describe("InMemoryWorkflowStore", () => {
  it("has runs of its own unless given a store", async () => {
    await using one = new InMemoryWorkflowStore();
    await using two = new InMemoryWorkflowStore();
    await one.createRun(aRun("r1"));
    expect(await two.get("r1")).toBeNull();
  });

  it("keeps its continuations in the outbox, whatever the broker", async () => {
    await using store = new InMemoryWorkflowStore();
    await using broker = new InMemoryBroker();
    expect(store.dispatchTo(broker)).toBe(false);
    await store.createRun(aRun("r1"));
    expect(await store.pendingContinuations(1)).toHaveLength(1);
  });
});
