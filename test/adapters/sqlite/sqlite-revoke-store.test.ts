import { describe, expect, it } from "vitest";
import { SqliteRevokeStore, type SqliteRevokeStoreOptions } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { describeRevokeStoreContract } from "../../contract/revoke-store/index.ts";
import { aRevocation } from "../../contract/revoke-store/revoke-store-bench.ts";
import { expectError } from "../../contract/support.ts";
import { inMemory, onClock, onFiles } from "./open-sqlite.ts";
import { openSqliteRevokeStores } from "./open-sqlite-results.ts";

describeRevokeStoreContract("SqliteRevokeStore in memory", openSqliteRevokeStores(inMemory));
describeRevokeStoreContract("SqliteRevokeStore on files", openSqliteRevokeStores(onFiles));

function open(
  options?: SqliteRevokeStoreOptions,
  storage: StorageDriver = memoryStorage(),
): Promise<SqliteRevokeStore> {
  return SqliteRevokeStore.open("revocations.db", { ...onClock(new FakeClock(), storage), ...options });
}

describe("SqliteRevokeStore", () => {
  it.each(["", "lone \ud800", "zero \u0000 byte", 'quotes " and \\', "\u{1f600}"])(
    "keeps the text %j, whatever UTF-8 makes of it",
    async (text) => {
      await using store = await open();
      await store.upsertAll([aRevocation("task", { reason: text, requestedBy: text })]);
      expect(await store.get("stem", "task")).toEqual(aRevocation("task", { reason: text, requestedBy: text }));
    },
  );

  it("gives its own namespace to an entry that has none", async () => {
    await using store = await open({ namespace: "mine" });
    const entry = { ...aRevocation("task"), namespace: undefined };
    expect(await store.upsertAll([entry as never])).toEqual([aRevocation("task", { namespace: "mine" })]);
    expect(await store.list("mine")).toHaveLength(1);
  });

  it("tells a watch nothing of what was stored before it in the same turn, and all that follows", async () => {
    await using store = await open();
    const before = store.upsertAll([aRevocation("early")]);
    const watch = store.watch("stem");
    const after = store.upsertAll([aRevocation("late"), aRevocation("late", { version: 2 }), aRevocation("late")]);
    await Promise.all([before, after]);
    expect((await watch.next()).value).toEqual(aRevocation("late"));
    expect((await watch.next()).value).toEqual(aRevocation("late", { version: 2 }));
  });

  it("refuses every call once it is closed, and closes once", async () => {
    const store = await open();
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await expectError(() => store.upsertAll([]), "STEM_CLOSED");
    await expectError(() => store.watch("stem"), "STEM_CLOSED");
  });

  it("connects by URL", async () => {
    const storage = memoryStorage();
    const connection = onClock(new FakeClock(), storage);
    await using store = await SqliteRevokeStore.connect("sqlite:///revocations.db", connection);
    await store.upsertAll([aRevocation("task")]);
    await using same = await SqliteRevokeStore.open("/revocations.db", connection);
    expect(await same.list("stem")).toEqual([aRevocation("task")]);
    await expectError(() => SqliteRevokeStore.connect(""), "STEM_INVALID_OPTION");
  });
});
