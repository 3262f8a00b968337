import { describe, expect, it } from "vitest";
import { expectError, track } from "../support.ts";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** Leases and their extension. What an old lease may no longer do is in `fencing.contract.ts`. */
export function describeLease(open: OpenBrokerFixture): void {
  describe("lease", () => {
    it(
      "tells its length and its end",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.publish({ visibilityTimeout: 7_000 });
        const [first, second] = [await bench.take(), await bench.take()];
        expect([first.leaseMs, second.leaseMs]).toEqual([LEASE, 7_000]);
        expect(first.leaseExpiresAt).toEqual(new Date(bench.clock.now() + LEASE));
        expect(second.leaseExpiresAt).toEqual(new Date(bench.clock.now() + 7_000));
      }),
    );

    it(
      "hides the message until its last millisecond has passed, then wakes a consumer",
      onBench(open, async (bench) => {
        await bench.publish();
        const held = await bench.take();
        const waiting = track(bench.consume().next());
        await bench.clock.advance(LEASE - 1);
        await bench.settle();
        expect(waiting.isPending).toBe(true);
        await bench.clock.advance(1);
        const { value } = await bench.arrival(waiting.promise, "the redelivery");
        expect(value?.envelope).toEqual(held.envelope);
        expect(value?.deliveries).toBe(2);
      }),
    );

    it(
      "counts the message as pending, and not in flight, from its end on",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.take();
        await bench.clock.advance(LEASE - 1);
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.clock.advance(1);
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "has the length that the message asks for, shorter or longer than the default",
      onBench(open, async (bench) => {
        await bench.publish({ visibilityTimeout: 200, queue: "short" });
        await bench.publish({ visibilityTimeout: 5 * LEASE, queue: "long" });
        await bench.take("short");
        await bench.take("long");
        await bench.clock.advance(199);
        await bench.expectNothing("short");
        await bench.clock.advance(1);
        expect((await bench.take("short")).deliveries).toBe(2);
        await bench.clock.advance(5 * LEASE - 201);
        await bench.expectNothing("long");
        await bench.clock.advance(1);
        expect((await bench.take("long")).deliveries).toBe(2);
      }),
    );

    it(
      "does not end because the wall clock is set forward",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        bench.clock.jump(86_400_000);
        await bench.expectNothing();
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.broker.ack(delivery);
      }),
    );

    it(
      "sends a message that was delivered maxDeliveries times to the dead letters when it ends",
      onBench(
        open,
        async (bench) => {
          const { id } = await bench.publish();
          await bench.take();
          await bench.clock.advance(LEASE);
          expect((await bench.take()).deliveries).toBe(2);
          const waiting = track(bench.consume().next());
          await bench.clock.advance(LEASE);
          await bench.until(async () => (await bench.broker.getDeadLetter(QUEUE, id)) !== null, "the dead letter");
          expect(waiting.isPending).toBe(true);
          expect((await bench.broker.getDeadLetter(QUEUE, id))?.reason).toBe("max-deliveries-exceeded");
          expect(await bench.counts()).toEqual([0, 0, 1]);
        },
        { maxDeliveries: 2 },
      ),
    );
  });

  describe("extendLease", () => {
    it(
      "moves the end to the given time from now",
      onBench(open, async (bench) => {
        bench.needs("supportsLeaseExtension");
        await bench.publish();
        const delivery = await bench.take();
        await bench.clock.advance(600);
        expect(await bench.broker.extendLease(delivery, 750)).toEqual(new Date(bench.clock.now() + 750));
        await bench.clock.advance(749);
        await bench.expectNothing();
        await bench.clock.advance(1);
        expect((await bench.take()).envelope.id).toBe(delivery.envelope.id);
      }),
    );

    it(
      "never shortens the lease",
      onBench(open, async (bench) => {
        bench.needs("supportsLeaseExtension");
        await bench.publish();
        const delivery = await bench.take();
        expect(await bench.broker.extendLease(delivery, 10)).toEqual(delivery.leaseExpiresAt);
        await bench.clock.advance(LEASE - 1);
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );

    it(
      "can be repeated for as long as the work takes",
      onBench(open, async (bench) => {
        bench.needs("supportsLeaseExtension");
        await bench.publish();
        const delivery = await bench.take();
        for (let round = 0; round < 20; round += 1) {
          await bench.clock.advance(LEASE / 2);
          await bench.broker.extendLease(delivery, LEASE);
        }
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.broker.ack(delivery);
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "revives a lease that has run out while nobody else was given the message",
      onBench(open, async (bench) => {
        bench.needs("supportsLeaseExtension");
        await bench.publish();
        const delivery = await bench.take();
        await bench.clock.advance(2 * LEASE);
        await bench.broker.extendLease(delivery, LEASE);
        await bench.expectNothing();
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );

    it(
      "refuses a length that is no positive duration and leaves the lease as it was",
      onBench(open, async (bench) => {
        bench.needs("supportsLeaseExtension");
        await bench.publish();
        const delivery = await bench.take();
        for (const by of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "1" as never]) {
          await expectError(() => bench.broker.extendLease(delivery, by), "STEM_INVALID_OPTION");
        }
        await bench.clock.advance(LEASE);
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );
  });
}
