import { describe, expect, it } from "vitest";
import type { Delivery } from "../../../src/contracts/broker.ts";
import { copyEnvelope } from "../../../src/core/envelope.ts";
import { LEASE, onBench, type BrokerBench, type OpenBrokerFixture } from "./broker-bench.ts";

const CALLS: readonly (readonly [string, (bench: BrokerBench, delivery: Delivery) => Promise<unknown>])[] = [
  ["ack", ({ broker }, delivery) => broker.ack(delivery)],
  ["nack", ({ broker }, delivery) => broker.nack(delivery)],
  ["nack without requeue", ({ broker }, delivery) => broker.nack(delivery, { requeue: false })],
  ["nack uncounted", ({ broker }, delivery) => broker.nack(delivery, { countsAsDelivery: false })],
  ["retry", ({ broker }, delivery) => broker.retry(delivery, copyEnvelope(delivery.envelope, { attempt: 1 }))],
  ["deadLetter", ({ broker }, delivery) => broker.deadLetter(delivery, { reason: "late" })],
  ["extendLease", ({ broker }, delivery) => broker.extendLease(delivery, 60_000)],
];

/** Only the newest delivery of a message may change it. */
export function describeFencing(open: OpenBrokerFixture): void {
  describe("fencing", () => {
    it.for(CALLS)(
      "refuses %s by a delivery whose message was given to somebody else, and changes nothing",
      async ([, call], context) => {
        await onBench(open, async (bench) => {
          await bench.publish();
          const old = await bench.take();
          await bench.clock.advance(LEASE);
          const current = await bench.take();
          await bench.expectLost(() => call(bench, old));
          expect(await bench.counts()).toEqual([0, 1, 0]);
          await bench.clock.advance(LEASE - 1);
          expect(await bench.counts()).toEqual([0, 1, 0]);
          await bench.broker.ack(current);
          expect(await bench.counts()).toEqual([0, 0, 0]);
        })(context);
      },
    );

    it.for(CALLS)("refuses %s by an old delivery after its message was published anew", async ([, call], context) => {
      await onBench(open, async (bench) => {
        const envelope = await bench.publish();
        const old = await bench.take();
        await bench.clock.advance(LEASE);
        await bench.broker.ack(await bench.take());
        await bench.broker.publish(envelope);
        await bench.expectLost(() => call(bench, old));
        expect(await bench.counts()).toEqual([1, 0, 0]);
        const delivery = await bench.take();
        await bench.expectLost(() => call(bench, old));
        expect(await bench.counts()).toEqual([0, 1, 0]);
        expect(delivery.envelope).toEqual(envelope);
      })(context);
    });

    it(
      "gives every delivery a greater token than all before it, over messages, queues and handles",
      onBench(open, async (bench) => {
        const other = await bench.open();
        for (const queue of ["a", "b", "a"]) await bench.publish({ queue });
        const deliveries = [await bench.take("a"), await bench.take("b", other), await bench.take("a", other)];
        await bench.broker.nack(deliveries[0] as Delivery);
        deliveries.push(await bench.take("a"));
        const tokens = deliveries.map(({ token }) => token);
        expect(tokens).toEqual([...tokens].sort((one, next) => one - next));
        expect(new Set(tokens).size).toBe(4);
        expect(tokens.every((token) => Number.isSafeInteger(token) && token > 0)).toBe(true);
      }),
    );

    it(
      "gives every delivery a receipt of its own",
      onBench(open, async (bench) => {
        await bench.publish();
        const first = await bench.take();
        await bench.broker.nack(first);
        expect((await bench.take()).receipt).not.toBe(first.receipt);
      }),
    );

    it(
      "stays with the message through another handle",
      onBench(open, async (bench) => {
        const other = await bench.open();
        await bench.publish();
        const old = await bench.take();
        await bench.clock.advance(LEASE);
        const current = await bench.take(undefined, other);
        await bench.expectLost(() => bench.broker.ack(old));
        await bench.expectLost(() => other.ack(old));
        await bench.broker.ack(current);
        expect(await bench.counts(undefined, other)).toEqual([0, 0, 0]);
      }),
    );
  });
}
