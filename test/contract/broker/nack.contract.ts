import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** Giving a message back, or up. */
export function describeNack(open: OpenBrokerFixture): void {
  describe("nack", () => {
    it(
      "makes the message visible again at once, with the next delivery number",
      onBench(open, async (bench) => {
        const { id } = await bench.publish();
        const consumer = bench.consume();
        const first = await bench.next(consumer);
        await bench.broker.nack(first);
        const second = await bench.next(consumer);
        expect(second.envelope).toEqual(first.envelope);
        expect(second.envelope.id).toBe(id);
        expect([first.deliveries, second.deliveries]).toEqual([1, 2]);
      }),
    );

    it(
      "gives the message its old place in the queue",
      onBench(open, async (bench) => {
        const { id } = await bench.publish();
        const other = await bench.publish();
        await bench.broker.nack(await bench.take());
        expect(await bench.drain()).toEqual([id, other.id]);
      }),
    );

    it(
      "ends the delivery: a later call on it finds the lease lost",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        await bench.broker.nack(delivery);
        await bench.expectLost(() => bench.broker.ack(delivery));
        await bench.expectLost(() => bench.broker.nack(delivery));
        await bench.expectLost(() => bench.broker.extendLease(delivery, LEASE));
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "moves the message to the dead letters with requeue: false",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        await bench.broker.nack(await bench.take(), { requeue: false });
        await bench.clock.advance(10 * LEASE);
        await bench.expectNothing();
        const entry = await bench.broker.getDeadLetter(QUEUE, envelope.id);
        expect(entry).toMatchObject({ envelope, reason: "nack", meta: {} });
      }),
    );

    it(
      "gives the delivery back with countsAsDelivery: false",
      onBench(open, async (bench) => {
        await bench.publish();
        for (let round = 0; round < 8; round += 1) {
          const delivery = await bench.take();
          expect(delivery.deliveries).toBe(1);
          await bench.broker.nack(delivery, { countsAsDelivery: false });
        }
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "sends the message to the dead letters after maxDeliveries deliveries",
      onBench(
        open,
        async (bench) => {
          const { id } = await bench.publish();
          for (const deliveries of [1, 2, 3]) {
            const delivery = await bench.take();
            expect(delivery.deliveries).toBe(deliveries);
            await bench.broker.nack(delivery);
          }
          await bench.expectNothing();
          expect(await bench.counts()).toEqual([0, 0, 1]);
          const entry = await bench.broker.getDeadLetter(QUEUE, id);
          expect(entry?.reason).toBe("max-deliveries-exceeded");
        },
        { maxDeliveries: 3 },
      ),
    );

    it(
      "lets the last delivery be given back without ending the message",
      onBench(
        open,
        async (bench) => {
          await bench.publish();
          await bench.broker.nack(await bench.take());
          await bench.broker.nack(await bench.take(), { countsAsDelivery: false });
          const last = await bench.take();
          expect(last.deliveries).toBe(2);
          await bench.broker.ack(last);
          expect(await bench.counts()).toEqual([0, 0, 0]);
        },
        { maxDeliveries: 2 },
      ),
    );

    it(
      "refuses options of the wrong kind and keeps the lease",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        await expectError(() => bench.broker.nack(delivery, { requeue: 0 as never }), "STEM_INVALID_OPTION");
        await expectError(
          () => bench.broker.nack(delivery, { countsAsDelivery: "no" as never }),
          "STEM_INVALID_OPTION",
        );
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );
  });
}
