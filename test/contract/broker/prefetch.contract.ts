import { describe, expect, it } from "vitest";
import type { Delivery } from "../../../src/contracts/broker.ts";
import { copyEnvelope } from "../../../src/core/envelope.ts";
import { expectError, track } from "../support.ts";
import { LEASE, onBench, type BrokerBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

const SETTLEMENTS: readonly (readonly [string, (bench: BrokerBench, delivery: Delivery) => Promise<unknown>])[] = [
  ["ack", ({ broker }, delivery) => broker.ack(delivery)],
  ["nack", ({ broker }, delivery) => broker.nack(delivery)],
  ["retry", ({ broker }, delivery) => broker.retry(delivery, copyEnvelope(delivery.envelope, { attempt: 1 }))],
  ["deadLetter", ({ broker }, delivery) => broker.deadLetter(delivery)],
];

/** Prefetch caps what one consumer has leased and not settled. */
export function describePrefetch(open: OpenBrokerFixture): void {
  describe("prefetch", () => {
    it(
      "caps the unsettled deliveries of a consumer, 1 by default",
      onBench(open, async (bench) => {
        for (let index = 0; index < 5; index += 1) await bench.publish();
        for (const [prefetch, pending] of [
          [undefined, 4],
          [3, 1],
        ] as const) {
          const consumer = bench.consume(QUEUE, prefetch === undefined ? {} : { prefetch });
          for (let index = 0; index < (prefetch ?? 1); index += 1) await bench.next(consumer);
          const waiting = track(consumer.next());
          await bench.settle();
          expect(waiting.isPending).toBe(true);
          expect(await bench.broker.pendingCount(QUEUE)).toBe(pending);
          await consumer.return();
        }
      }),
    );

    it.for(SETTLEMENTS)("frees a slot by %s", async ([, settle], context) => {
      await onBench(open, async (bench) => {
        await bench.publish();
        await bench.publish();
        const consumer = bench.consume();
        const first = await bench.next(consumer);
        const waiting = consumer.next();
        await settle(bench, first);
        const { value } = await bench.arrival(waiting, "a delivery in the free slot");
        expect(value?.token).toBeGreaterThan(first.token);
      })(context);
    });

    it(
      "frees the slot of a lease that has run out",
      onBench(open, async (bench) => {
        await bench.publish();
        const second = await bench.publish({ priority: -1 });
        const consumer = bench.consume();
        const held = await bench.next(consumer);
        const waiting = consumer.next();
        await bench.clock.advance(LEASE);
        const { value } = await bench.arrival(waiting, "a delivery in the free slot");
        expect(value?.envelope.id).toBe(held.envelope.id);
        await bench.broker.ack(value as Delivery);
        expect((await bench.next(consumer)).envelope.id).toBe(second.id);
      }),
    );

    it(
      "counts a lease on for as long as it is extended",
      onBench(open, async (bench) => {
        bench.needs("supportsLeaseExtension");
        await bench.publish();
        await bench.publish();
        const consumer = bench.consume();
        const held = await bench.next(consumer);
        const waiting = track(consumer.next());
        await bench.clock.advance(LEASE - 1);
        await bench.broker.extendLease(held, 3 * LEASE);
        await bench.clock.advance(3 * LEASE - 1);
        await bench.settle();
        expect(waiting.isPending).toBe(true);
        await bench.clock.advance(1);
        await bench.arrival(waiting.promise, "a delivery after the extended lease");
      }),
    );

    it(
      "is freed by a settlement through another handle",
      onBench(open, async (bench) => {
        const other = await bench.open();
        await bench.publish();
        await bench.publish();
        const consumer = bench.consume();
        const held = await bench.next(consumer);
        const waiting = consumer.next();
        await other.ack(held);
        await bench.arrival(waiting, "a delivery in the free slot");
      }),
    );

    it(
      "is each consumer's own, also under one name",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.publish();
        await bench.publish();
        const [one, two] = [1, 2].map(() => bench.consume(QUEUE, { consumerName: "same" }));
        const deliveries = [await bench.next(one!), await bench.next(two!)];
        expect(new Set(deliveries.map(({ envelope }) => envelope.id)).size).toBe(2);
        expect(await bench.counts()).toEqual([1, 2, 0]);
      }),
    );

    it(
      "answers several waiting next() calls in order",
      onBench(open, async (bench) => {
        const consumer = bench.consume(QUEUE, { prefetch: 3 });
        const waiting = [consumer.next(), consumer.next(), consumer.next()];
        await bench.settle();
        const ids = [(await bench.publish()).id, (await bench.publish()).id, (await bench.publish()).id];
        const results = await bench.arrival(Promise.all(waiting), "three deliveries");
        expect(results.map(({ value }) => value?.envelope.id)).toEqual(ids);
      }),
    );

    it(
      "must be a whole number from 1",
      onBench(open, async ({ broker }) => {
        for (const prefetch of [0, -1, 1.5, Number.NaN, "2" as never]) {
          await expectError(() => broker.consume({ queues: [QUEUE] }, { prefetch }), "STEM_INVALID_OPTION");
        }
      }),
    );
  });
}
