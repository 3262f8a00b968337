import { describe, expect, it } from "vitest";
import type { Envelope } from "../../../src/core/envelope.ts";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** Order of delivery: priority, then order of publishing; over all queues of a subscription. */
export function describePriority(open: OpenBrokerFixture): void {
  describe("priority", () => {
    it(
      "delivers higher priorities first and equal ones in order of publishing",
      onBench(open, async (bench) => {
        bench.needs("supportsPriorityOrdering");
        expect(bench.broker.supportsPriority).toBe(true);
        const envelopes: Envelope[] = [];
        for (const priority of [1, 9, 0, 9, -5, 1, 2_147_483_647, -2_147_483_648]) {
          envelopes.push(await bench.publish({ priority }));
        }
        const order = [6, 1, 3, 0, 5, 2, 4, 7].map((index) => envelopes[index]?.id);
        expect(await bench.drain()).toEqual(order);
      }),
    );

    it(
      "holds within one consumer's prefetch too",
      onBench(open, async (bench) => {
        bench.needs("supportsPriorityOrdering");
        await bench.publish({ priority: 1 });
        await bench.publish({ priority: 9 });
        const consumer = bench.consume(QUEUE, { prefetch: 2 });
        expect((await bench.next(consumer)).envelope.priority).toBe(9);
        expect((await bench.next(consumer)).envelope.priority).toBe(1);
      }),
    );

    it(
      "does not care about ids or enqueuedAt among equals",
      onBench(open, async (bench) => {
        const ids = ["z", "a", "m", "b"];
        for (const [index, id] of ids.entries()) await bench.publish({ id, enqueuedAt: new Date(1_000 - index) });
        expect(await bench.drain()).toEqual(ids);
      }),
    );

    it(
      "keeps the place of a message whose lease ran out",
      onBench(open, async (bench) => {
        const first = await bench.publish();
        const second = await bench.publish();
        await bench.take();
        await bench.clock.advance(LEASE);
        expect(await bench.drain()).toEqual([first.id, second.id]);
      }),
    );
  });

  describe("several queues in one subscription", () => {
    it(
      "are delivered in one order",
      onBench(open, async (bench) => {
        bench.needs("supportsMultipleQueues");
        const published = [
          await bench.publish({ queue: "b" }),
          await bench.publish({ queue: "a" }),
          await bench.publish({ queue: "elsewhere", priority: 9 }),
          await bench.publish({ queue: "c", priority: 5 }),
          await bench.publish({ queue: "b" }),
        ];
        const consumer = bench.broker.consume({ queues: ["a", "b", "c", "empty"] }, { prefetch: 4 });
        const order: (string | undefined)[] = [];
        for (let index = 0; index < 4; index += 1) order.push((await bench.next(consumer)).envelope.id);
        expect(order).toEqual([3, 0, 1, 4].map((index) => published[index]?.id));
        expect(await bench.counts("elsewhere")).toEqual([1, 0, 0]);
      }),
    );

    it(
      "share one prefetch",
      onBench(open, async (bench) => {
        bench.needs("supportsMultipleQueues");
        await bench.publish({ queue: "a" });
        await bench.publish({ queue: "b" });
        const consumer = bench.broker.consume({ queues: ["a", "b", "a"] });
        const { envelope } = await bench.next(consumer);
        void consumer.next();
        await bench.settle();
        expect(envelope.queue).toBe("a");
        expect(await bench.counts("b")).toEqual([1, 0, 0]);
      }),
    );

    it(
      "wake the consumer all the same, names trimmed",
      onBench(open, async (bench) => {
        bench.needs("supportsMultipleQueues");
        const consumer = bench.broker.consume({ queues: ["a", " b "] });
        const waiting = consumer.next();
        await bench.settle();
        await bench.publish({ queue: "b" });
        expect((await bench.arrival(waiting, "the message")).value?.envelope.queue).toBe("b");
      }),
    );
  });
}
