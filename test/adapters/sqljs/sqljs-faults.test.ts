import { describe, expect, it } from "vitest";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { StorageLease } from "../../../src/contracts/storage-driver.ts";
import { OutcomeUnknownError, StorageFullError, StorageIoError } from "../../../src/errors.ts";
import { aConsumer, aPublish, NAMESPACE, openOwner, type TestOwner } from "../sqlite/hub/open-owner.ts";
import { sqlJs } from "./open-sqljs.ts";

const MAIL = { namespace: NAMESPACE, queue: "mail" };

interface Faults {
  /** Thrown before an image takes the place of the stored one. */
  before?: Error | undefined;
  /** Thrown after it has. */
  after?: Error | undefined;
  /** Not once, but until both are taken back. */
  last?: boolean;
}

/** An owner in sql.js whose storage fails as it is told. */
async function aBench(): Promise<TestOwner & { readonly faults: Faults }> {
  const faults: Faults = {};
  const wrap = (lease: StorageLease): StorageLease => {
    const replace = (image: Uint8Array): void => {
      const { before, after } = faults;
      if (faults.last !== true) faults.before = faults.after = undefined;
      if (before !== undefined) throw before;
      lease.replace?.(image);
      if (after !== undefined) throw after;
    };
    const open: StorageLease["open"] = (name) => lease.open(name);
    const bound = {
      exists: lease.exists.bind(lease),
      delete: lease.delete.bind(lease),
      verify: lease.verify.bind(lease),
    };
    return { path: lease.path, ...bound, open, replace, durable: () => undefined, release: () => lease.release() };
  };
  return { ...(await openOwner({ driver: memoryStorage(), sqlEngine: sqlJs, wrap })), faults };
}

describe("hub: faults of storage, in sql.js", () => {
  it("fails honestly while storage is full, and goes on when there is room again", async () => {
    const { client, faults } = await aBench();
    const consumer = await aConsumer(client);
    Object.assign(faults, { before: new StorageFullError("hub.db"), last: true });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const error: unknown = await client.call("publish", aPublish()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StorageFullError);
      expect(error).toMatchObject({ outcome: "not-applied", retryable: true });
    }
    expect(await client.call("pendingCount", MAIL)).toBe(0);
    faults.before = undefined;
    await client.call("publish", aPublish());
    expect(consumer.deliveries).toHaveLength(1);
  });

  it.each([
    { stored: 0, which: "before" },
    { stored: 1, which: "after" },
  ] as const)(
    "says that an outcome is unknown, and goes on with the $stored messages that are stored",
    async (each) => {
      const { client, faults } = await aBench();
      const args = aPublish();
      faults[each.which] = new StorageIoError("fsync", "hub.db", "EIO");
      const error: unknown = await client.call("publish", args).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(await client.call("pendingCount", MAIL)).toBe(each.stored);
      expect(await client.call("publish", args)).toBe(each.stored === 0 ? "stored" : "duplicate");
      expect(await client.call("pendingCount", MAIL)).toBe(1);
    },
  );

  it("keeps what a consumer holds good across a fault", async () => {
    const { client, faults } = await aBench();
    await client.call("publish", aPublish());
    const consumer = await aConsumer(client);
    faults.before = new StorageIoError("write", "hub.db", "EIO");
    await expect(client.call("publish", aPublish())).rejects.toMatchObject({ code: "STEM_OUTCOME_UNKNOWN" });
    const [{ seq, token }] = consumer.deliveries as unknown as [{ seq: number; token: number }];
    await client.call("ack", { seq, token, id: "", queue: "" });
    await client.call("publish", aPublish());
    expect(consumer.deliveries).toHaveLength(2);
    expect(consumer.deliveries[1]?.token).toBeGreaterThan(token);
  });
});
