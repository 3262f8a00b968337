import { describe, expect, it } from "vitest";
import { InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import { describeRevokeStoreContract } from "../../contract/revoke-store/index.ts";
import { aRevocation } from "../../contract/revoke-store/revoke-store-bench.ts";
import { openInMemoryRevokeStores } from "./open-in-memory.ts";

describeRevokeStoreContract("InMemoryRevokeStore", openInMemoryRevokeStores);

describe("InMemoryRevokeStore", () => {
  it("has entries of its own unless given a store", async () => {
    const [one, two] = [new InMemoryRevokeStore(), new InMemoryRevokeStore()];
    await one.upsertAll([aRevocation("t")]);
    expect(await two.list("stem")).toEqual([]);
  });

  it("gives its namespace to entries whose own is blank", async () => {
    const store = new InMemoryRevokeStore({ namespace: "mine" });
    const [stored] = await store.upsertAll([aRevocation("t", { namespace: " " })]);
    expect(stored?.namespace).toBe("mine");
    expect(await store.get("mine", "t")).toEqual(stored);
  });
});
