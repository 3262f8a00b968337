import { describe, expect, it } from "vitest";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** The end of a message: once, for good, also late. */
export function describeAck(open: OpenBrokerFixture): void {
  describe("ack", () => {
    it(
      "removes the message for good",
      onBench(open, async (bench) => {
        const { id } = await bench.publish();
        const delivery = await bench.take();
        expect(delivery.envelope.id).toBe(id);
        await bench.broker.ack(delivery);
        await bench.clock.advance(10 * LEASE);
        await bench.expectNothing();
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "does nothing the second time",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.publish();
        const delivery = await bench.take();
        await bench.broker.ack(delivery);
        await bench.broker.ack(delivery);
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "is all the same when called twice at once",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        await Promise.all([bench.broker.ack(delivery), bench.broker.ack(delivery)]);
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "is accepted late while nobody else was given the message",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        await bench.clock.advance(3 * LEASE);
        await bench.broker.ack(delivery);
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "ends the delivery: other calls on it find the lease lost",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        await bench.broker.ack(delivery);
        await bench.expectLost(() => bench.broker.nack(delivery));
        await bench.expectLost(() => bench.broker.deadLetter(delivery));
        await bench.expectLost(() => bench.broker.extendLease(delivery, LEASE));
        await bench.expectLost(() => bench.broker.retry(delivery, delivery.envelope));
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "works on a delivery that went through a copy",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.broker.ack(structuredClone(await bench.take()));
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "settles each delivery of a batch on its own, in any order",
      onBench(open, async (bench) => {
        for (let index = 0; index < 5; index += 1) await bench.publish();
        const consumer = bench.consume(QUEUE, { prefetch: 5 });
        const deliveries = [];
        for (let index = 0; index < 5; index += 1) deliveries.push(await bench.next(consumer));
        await Promise.all(deliveries.reverse().map((delivery) => bench.broker.ack(delivery)));
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );
  });
}
