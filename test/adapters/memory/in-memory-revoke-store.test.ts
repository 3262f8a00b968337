import { describe, expect, it } from "vitest";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import { describeRevokeStoreContract } from "../../contract/revoke-store/index.ts";
import { openInMemoryRevokeStores } from "./open-in-memory.ts";

describeRevokeStoreContract("InMemoryRevokeStore", openInMemoryRevokeStores);

describe("InMemoryRevokeStore", () => {
  it("has entries of its own unless given a store, and shows its namespace", async () => {
    const [one, two] = [new InMemoryRevokeStore({ namespace: "a" }), new InMemoryRevokeStore()];
    await one.upsertAll([{ namespace: "a", taskId: "t", version: 1, issuedAt: new Date(0), terminate: false }]);
    expect(await two.list("a")).toEqual([]);
    expect([one.namespace, two.namespace]).toEqual(["a", "stem"]);
  });
});
