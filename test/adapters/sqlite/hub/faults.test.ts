import { describe, expect, it } from "vitest";
import { DatabaseReplacedError, OutcomeUnknownError, StorageFullError } from "../../../../src/errors.ts";
import { SimDisk } from "../../../support/sim-disk.ts";
import { aConsumer, aPublish, callsAreSent, NAMESPACE, openOwner, refOf } from "./open-owner.ts";

const MAIL = { namespace: NAMESPACE, queue: "mail" };

async function onDisk() {
  const disk = new SimDisk();
  return { disk, ...(await openOwner({ driver: disk })) };
}

describe("hub: faults of storage", () => {
  it("says that an outcome is unknown after a fault at COMMIT, recovers by itself, and repeats have one effect", async () => {
    for (const kind of ["EIO", "short"] as const) {
      const outcomes = new Set<string>();
      for (let offset = 0; offset < 3; offset += 1) {
        const { disk, client, close } = await onDisk();
        const args = aPublish();
        disk.failAt(disk.operationCount + offset, kind, "once");
        const error: unknown = await client.call("publish", args).catch((thrown: unknown) => thrown);
        if (typeof error !== "string") {
          expect(error).toBeInstanceOf(OutcomeUnknownError);
          expect(error).toMatchObject({ outcome: "unknown", retryable: true });
        }
        const again = await client.call("publish", args);
        outcomes.add(`${typeof error === "string" ? error : "unknown"}, then ${again}`);
        expect(await client.call("pendingCount", MAIL)).toBe(1);
        await close();
      }
      expect([...outcomes].some((outcome) => outcome.startsWith("unknown"))).toBe(true);
    }
  });

  it("tells every call of the turn, and holds nothing against consumers", async () => {
    const { disk, client } = await onDisk();
    const consumer = await aConsumer(client, { prefetch: 1 });
    disk.failAt(disk.operationCount, "EIO", "once");
    const outcomes = await Promise.allSettled([
      client.call("publish", aPublish()),
      client.call("publish", aPublish()),
      client.call("pendingCount", MAIL),
    ]);
    expect(
      outcomes.map((outcome) => outcome.status === "rejected" && (outcome.reason as { code: string }).code),
    ).toEqual(Array(3).fill("STEM_OUTCOME_UNKNOWN"));
    expect(consumer.deliveries).toHaveLength(0);
    await client.call("publish", aPublish());
    expect(consumer.deliveries).toHaveLength(1);
    await client.call("ack", refOf(consumer.deliveries[0]));
    await client.call("publish", aPublish());
    expect(consumer.deliveries).toHaveLength(2);
  });

  it("keeps what is in hand good across the recovery: tokens settle, later ones are greater", async () => {
    const { disk, client } = await onDisk();
    await Promise.all([1, 2].map(() => client.call("publish", aPublish())));
    const consumer = await aConsumer(client);
    disk.failAt(disk.operationCount, "EIO", "once");
    await expect(client.call("publish", aPublish())).rejects.toMatchObject({ code: "STEM_OUTCOME_UNKNOWN" });
    await client.call("ack", refOf(consumer.deliveries[0]));
    expect(consumer.deliveries).toHaveLength(2);
    expect(consumer.deliveries[1]?.token).toBeGreaterThan(consumer.deliveries[0]?.token ?? Infinity);
  });

  it("fails honestly while the disk is full, and goes on when there is room again", async () => {
    const { disk, client } = await onDisk();
    const consumer = await aConsumer(client);
    disk.failAt(disk.operationCount, "ENOSPC", "persistent");
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const error: unknown = await client.call("publish", aPublish()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StorageFullError);
      expect(error).toMatchObject({ outcome: "not-applied", retryable: true });
    }
    expect(await client.call("pendingCount", MAIL)).toBe(0);
    disk.clearFaults();
    await client.call("publish", aPublish());
    expect(consumer.deliveries).toHaveLength(1);
  });

  it("answers with a retryable error while the disk does not work at all, and recovers with it", async () => {
    const { disk, client } = await onDisk();
    await client.call("publish", aPublish());
    disk.failAt(disk.operationCount, "EIO", "persistent");
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await expect(client.call("publish", aPublish())).rejects.toMatchObject({ retryable: true });
    }
    disk.clearFaults();
    await client.call("publish", aPublish()).catch(() => undefined);
    expect(await client.call("publish", aPublish())).toBe("stored");
  });

  it("delivers after the recovery without any call, when a claim met the fault", async () => {
    const { disk, client, clock } = await onDisk();
    const consumer = await aConsumer(client);
    await client.call("publish", aPublish({ notBefore: new Date(clock.now() + 100) }));
    disk.failAt(disk.operationCount, "EIO", "once");
    await clock.advance(100);
    await clock.advance(0);
    expect(consumer.deliveries).toHaveLength(1);
    await client.call("ack", refOf(consumer.deliveries[0]));
  });

  it("delivers once the disk works again, without any call, when it failed for a while", async () => {
    const { disk, client, clock } = await onDisk();
    const consumer = await aConsumer(client, { pollInterval: 250 });
    await client.call("publish", aPublish({ notBefore: new Date(clock.now() + 100) }));
    disk.failAt(disk.operationCount, "EIO", "persistent");
    const before = disk.operationCount;
    await clock.advance(10_000);
    expect(consumer.deliveries).toHaveLength(0);
    // A disk that fails is asked now and then, not all the time.
    expect(disk.operationCount - before).toBeLessThan(200);
    disk.clearFaults();
    await clock.advance(31_000);
    expect(consumer.deliveries.length).toBeGreaterThan(0);
  });

  it("delivers once a full disk has room again, without any call", async () => {
    const { disk, client, clock } = await onDisk();
    const consumer = await aConsumer(client);
    await client.call("publish", aPublish({ notBefore: new Date(clock.now() + 100) }));
    disk.failAt(disk.operationCount, "ENOSPC", "persistent");
    const before = disk.operationCount;
    await clock.advance(10_000);
    expect(disk.operationCount - before).toBeLessThan(200);
    disk.clearFaults();
    await clock.advance(2_000);
    expect(consumer.deliveries).toHaveLength(1);
  });

  it("says that an outcome is unknown when storage that flushes later could not, and goes on", async () => {
    let isFailing = false;
    const { client } = await openOwner({
      wrap: (lease) =>
        new Proxy(lease, {
          get(target, key) {
            if (key === "durable")
              return () => (isFailing ? Promise.reject(new Error("no space left")) : Promise.resolve());
            const value: unknown = Reflect.get(target, key);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
    });
    const consumer = await aConsumer(client);
    isFailing = true;
    await expect(client.call("publish", aPublish())).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(consumer.deliveries).toHaveLength(0);
    isFailing = false;
    expect(await client.call("publish", aPublish())).toBe("stored");
    expect(await client.call("inflightCount", MAIL)).toBeGreaterThan(0);
  });

  it("stops for good, and says so, when the database was replaced", async () => {
    let isReplaced = false;
    const { client, logger, clock } = await openOwner({
      wrap: (lease) =>
        new Proxy(lease, {
          get(target, key) {
            if (key === "verify" && isReplaced)
              return () => {
                throw new DatabaseReplacedError("hub.db", "was deleted");
              };
            const value = Reflect.get(target, key) as unknown;
            return typeof value === "function" ? (value.bind(target) as unknown) : value;
          },
        }),
    });
    const consumer = await aConsumer(client, { pollInterval: 250 });
    isReplaced = true;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(client.call("publish", aPublish())).rejects.toBeInstanceOf(DatabaseReplacedError);
    }
    await clock.advance(1_000);
    expect(consumer.deliveries).toHaveLength(0);
    expect(logger.records.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

describe("hub: the end of an owner", () => {
  it("finishes what has arrived before it closes", async () => {
    const { client, close, driver } = await openOwner();
    const calls = Array.from({ length: 50 }, () => client.call("publish", aPublish()));
    await callsAreSent();
    await close();
    expect(await Promise.all(calls)).toEqual(Array(50).fill("stored"));
    const again = await openOwner({ driver });
    expect(await again.client.call("pendingCount", MAIL)).toBe(50);
  });

  it("closes once, however often it is asked to, also while calls are under way", async () => {
    const { client, owner, driver } = await openOwner();
    const call = client.call("publish", aPublish());
    await callsAreSent();
    await Promise.all([owner.close(), owner.close(), owner.close()]);
    await owner.close();
    expect(await call).toBe("stored");
    const again = await openOwner({ driver });
    expect(await again.client.call("pendingCount", MAIL)).toBe(1);
  });

  it("does not close before another close has finished", async () => {
    const { client, owner, driver } = await openOwner();
    const call = client.call("publish", aPublish());
    await callsAreSent();
    void owner.close();
    await owner.close();
    expect((await driver.acquire("hub.db")).role).toBe("owner");
    await call;
  });
});
