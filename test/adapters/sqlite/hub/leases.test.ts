import { describe, expect, it } from "vitest";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import { FakeClock } from "../../../../src/testing/index.ts";
import { aConsumer, aPublish, NAMESPACE, openOwner, refOf } from "./open-owner.ts";

const MAIL = { namespace: NAMESPACE, queue: "mail" };
const HOUR = 3_600_000;

describe("hub: leases and due times", () => {
  it("delivers a delayed message exactly when it falls due, by a timer of its own", async () => {
    const { client, clock } = await openOwner();
    const consumer = await aConsumer(client, { prefetch: 10, defaultVisibilityTimeout: 2 * HOUR });
    for (const delay of [1, 250, 1_000, 1_000, HOUR]) {
      await client.call("publish", aPublish({ notBefore: new Date(clock.now() + delay) }));
    }
    const counts: number[] = [];
    for (const step of [1, 248, 1, 749, 1, HOUR - 1_001, 1]) {
      await clock.advance(step);
      counts.push(consumer.deliveries.length);
    }
    expect(counts).toEqual([1, 1, 2, 2, 4, 4, 5]);
  });

  it("delivers a message beyond the longest native timer, and one due in the past at once", async () => {
    const { client, clock } = await openOwner();
    const consumer = await aConsumer(client, { prefetch: 10, pollInterval: 9e12 });
    await client.call("publish", aPublish({ notBefore: new Date(clock.now() + 2 ** 33) }));
    await client.call("publish", aPublish({ notBefore: new Date(clock.now() - 5) }));
    expect(consumer.deliveries).toHaveLength(1);
    await clock.advance(40_000);
    await client.call("ack", refOf(consumer.deliveries[0])).catch(() => undefined);
    consumer.deliveries.length = 0;
    await clock.advance(2 ** 33 - 40_001);
    expect(consumer.deliveries.filter(({ deliveries }) => deliveries === 1)).toHaveLength(0);
    await clock.advance(1);
    expect(consumer.deliveries.filter(({ deliveries }) => deliveries === 1)).toHaveLength(1);
  });

  it("gives a message to somebody else exactly when its lease lapses, by a timer and not by polling", async () => {
    const { client, clock } = await openOwner();
    await client.call("publish", aPublish());
    const [one, other] = [await aConsumer(client), await aConsumer(client)];
    expect([one.deliveries.length, other.deliveries.length]).toEqual([1, 0]);
    await clock.advance(29_999);
    expect(one.deliveries.length + other.deliveries.length).toBe(1);
    await clock.advance(1);
    const [first, second] = [...one.deliveries, ...other.deliveries];
    expect(second).toMatchObject({ seq: first?.seq, deliveries: 2 });
    expect(second?.token).toBeGreaterThan(first?.token ?? 0);
    await expect(client.call("ack", refOf(first))).rejects.toMatchObject({ code: "STEM_LEASE_LOST" });
    await client.call("ack", refOf(second));
  });

  it("takes the message's own lease before the consumer's, fractions of a millisecond rounded up", async () => {
    const { client, clock } = await openOwner();
    const consumer = await aConsumer(client, { prefetch: 5, defaultVisibilityTimeout: 1_000 });
    await client.call("publish", aPublish({ visibilityTimeout: 5_000 }));
    await client.call("publish", aPublish());
    await client.call("publish", aPublish({ visibilityTimeout: 1_000 / 3 }));
    expect(consumer.deliveries.map(({ leaseMs }) => leaseMs)).toEqual([5_000, 1_000, 334]);
    expect(consumer.deliveries.map(({ leaseUntil }) => leaseUntil - clock.now())).toEqual([5_000, 1_000, 334]);
  });

  it("prolongs a lease from now, never shortens it, and wakes when the prolonged one ends", async () => {
    const { client, clock } = await openOwner();
    await client.call("publish", aPublish());
    const consumer = await aConsumer(client);
    const delivery = refOf(consumer.deliveries[0]);
    await clock.advance(20_000);
    expect(await client.call("extendLease", { delivery, by: 30_000 })).toBe(clock.now() + 30_000);
    expect(await client.call("extendLease", { delivery, by: 1 })).toBe(clock.now() + 30_000);
    await clock.advance(29_999);
    expect(consumer.deliveries).toHaveLength(1);
    await clock.advance(1);
    expect(consumer.deliveries).toHaveLength(2);
  });

  it("moves leases with the wall clock when it jumps, so that none ends early or late", async () => {
    const { client, clock } = await openOwner();
    await client.call("publish", aPublish());
    const consumer = await aConsumer(client);
    await clock.advance(10_000);
    clock.jump(HOUR);
    await client.call("pendingCount", MAIL);
    expect(consumer.deliveries).toHaveLength(1);
    expect(await client.call("inflightCount", MAIL)).toBe(1);
    await clock.advance(19_999);
    expect(consumer.deliveries).toHaveLength(1);
    await clock.advance(2);
    expect(consumer.deliveries).toHaveLength(2);
  });

  it("holds to prefetch when the wall clock jumps: a lease that moved is still held", async () => {
    const { client, clock } = await openOwner();
    await Promise.all([1, 2, 3].map(() => client.call("publish", aPublish())));
    const consumer = await aConsumer(client);
    clock.jump(HOUR);
    await client.call("publish", aPublish());
    await clock.advance(0);
    expect(consumer.deliveries).toHaveLength(1);
    await client.call("ack", refOf(consumer.deliveries[0]));
    expect(consumer.deliveries).toHaveLength(2);
  });

  it("delivers by the wall clock what fell due in its jump, at the next call", async () => {
    const { client, clock } = await openOwner();
    const consumer = await aConsumer(client);
    await client.call("publish", aPublish({ notBefore: new Date(clock.now() + HOUR) }));
    clock.jump(HOUR);
    await client.call("pendingCount", MAIL);
    expect(consumer.deliveries).toHaveLength(1);
  });

  it("holds to prefetch when a lease is prolonged in the very turn in which it ends", async () => {
    const { client, clock, owner } = await openOwner();
    await Promise.all([1, 2].map(() => client.call("publish", aPublish())));
    const consumer = await aConsumer(client);
    const delivery = refOf(consumer.deliveries[0]);
    const replies: unknown[] = [];
    const member = owner.connect((batch) => void replies.push(...batch.replies));
    // Arrives before the owner's own timer, as after a time in which its thread did not run.
    clock.schedule(() => {
      clock.jump(900);
      member.receive([[1, "extendLease", { delivery, by: 30_000 }]]);
    }, 29_999);
    await clock.advance(29_999);
    expect(replies).toEqual([[1, clock.now() + 30_000]]);
    expect(consumer.deliveries).toHaveLength(1);
  });

  it("sees leases by the new time in the very turn of a jump", async () => {
    const { client, clock } = await openOwner();
    await Promise.all([1, 2].map(() => client.call("publish", aPublish())));
    const consumer = await aConsumer(client, { prefetch: 2 });
    clock.jump(HOUR);
    const delivery = refOf(consumer.deliveries[0]);
    const [until, purged, held] = await Promise.all([
      client.call("extendLease", { delivery, by: 40_000 }),
      client.call("purge", MAIL),
      client.call("inflightCount", MAIL),
    ]);
    expect([until, purged, held]).toEqual([clock.now() + 40_000, 0, 2]);
    await clock.advance(30_001);
    expect(await client.call("inflightCount", MAIL)).toBe(2);
    expect(consumer.deliveries).toHaveLength(3);
    await clock.advance(10_000);
    expect(consumer.deliveries).toHaveLength(4);
  });

  it("never repeats a token, across reopening, and whatever the wall clock says", async () => {
    const driver = memoryStorage();
    let last = 0;
    for (const startAt of [
      Date.UTC(2026, 0, 1),
      Date.UTC(2026, 0, 1),
      Date.UTC(2025, 6, 1),
      0,
      Date.UTC(2030, 0, 1),
      Date.UTC(2026, 0, 1),
    ]) {
      const { client, close } = await openOwner({ driver, clock: new FakeClock(startAt) });
      await Promise.all(Array.from({ length: 20 }, () => client.call("publish", aPublish())));
      const consumer = await aConsumer(client, { prefetch: 20 });
      expect(consumer.deliveries.length).toBeGreaterThan(0);
      for (const delivery of consumer.deliveries) {
        expect(delivery.token).toBeGreaterThan(last);
        expect(Number.isSafeInteger(delivery.token)).toBe(true);
        last = delivery.token;
        await client.call("ack", refOf(delivery));
      }
      await close();
    }
  });

  it("gives back at a clean close what its members in the same context held", async () => {
    const driver = memoryStorage();
    const now = Date.UTC(2026, 0, 1);
    const first = await openOwner({ driver, clock: new FakeClock(now) });
    await first.client.call("publish", aPublish());
    const consumer = await aConsumer(first.client);
    expect(consumer.deliveries).toHaveLength(1);
    await first.close();
    const second = await openOwner({ driver, clock: new FakeClock(now - HOUR) });
    const waiting = await aConsumer(second.client);
    expect(waiting.deliveries).toMatchObject([{ deliveries: 2 }]);
  });

  it("puts no more than the due rows of one transaction at a time, and all of them in the end", async () => {
    const { client, clock } = await openOwner();
    const notBefore = new Date(clock.now() + 1_000);
    await Promise.all(Array.from({ length: 1_700 }, () => client.call("publish", aPublish({ notBefore }))));
    const consumer = await aConsumer(client, { prefetch: 10_000 });
    await clock.advance(999);
    expect(consumer.deliveries).toHaveLength(0);
    await clock.advance(1);
    await clock.advance(0);
    expect(consumer.deliveries).toHaveLength(1_700);
  });
});
