import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** How an iteration begins and ends. */
export function describeConsumer(open: OpenBrokerFixture): void {
  describe("consumer", () => {
    it(
      "claims nothing before the first next()",
      onBench(open, async (bench) => {
        await bench.publish();
        bench.consume(QUEUE, { prefetch: 5 });
        await bench.settle();
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "gives unseen deliveries back uncounted when it ends, and leaves seen ones leased",
      onBench(open, async (bench) => {
        for (let index = 0; index < 4; index += 1) await bench.publish();
        const consumer = bench.consume(QUEUE, { prefetch: 3 });
        const seen = await bench.next(consumer);
        await bench.settle();
        await consumer.return();
        expect(await bench.counts()).toEqual([3, 1, 0]);
        for (let index = 0; index < 3; index += 1) expect((await bench.take()).deliveries).toBe(1);
        await bench.broker.ack(seen);
        expect(await bench.counts()).toEqual([0, 3, 0]);
      }),
    );

    it(
      "does not lose a delivery that crosses with its end",
      onBench(open, async (bench) => {
        const consumer = bench.consume();
        const waiting = consumer.next();
        const published = bench.publish();
        const ended = consumer.return();
        await Promise.all([published, ended]);
        const result = await bench.arrival(waiting, "the end of next()");
        if (result.done === true) expect((await bench.take()).deliveries).toBe(1);
        else await bench.broker.ack(result.value);
        await bench.settle();
        expect((await bench.counts())[0]).toBe(0);
      }),
    );

    it(
      "resolves waiting and later next() calls as done when it ends",
      onBench(open, async (bench) => {
        const consumer = bench.consume();
        const waiting = consumer.next();
        await bench.settle();
        expect(await consumer.return()).toEqual({ done: true, value: undefined });
        expect(await bench.arrival(waiting, "the end of next()")).toEqual({ done: true, value: undefined });
        await bench.publish();
        expect(await consumer.next()).toEqual({ done: true, value: undefined });
        expect(await consumer.return()).toEqual({ done: true, value: undefined });
      }),
    );

    it(
      "ends by leaving a for await loop",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.publish();
        const consumer = bench.consume(QUEUE, { prefetch: 2 });
        for await (const delivery of consumer) {
          await bench.broker.ack(delivery);
          break;
        }
        expect((await consumer.next()).done).toBe(true);
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "lets a seen delivery lapse, and be given to others, after its end",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.take();
        await bench.clock.advance(LEASE);
        expect((await bench.take()).deliveries).toBe(2);
      }),
    );

    it(
      "refuses at the call what it cannot do",
      onBench(open, async ({ broker }) => {
        await expectError(() => broker.consume({}), "STEM_INVALID_OPTION");
        await expectError(() => broker.consume({ queues: [] }), "STEM_INVALID_OPTION");
        await expectError(() => broker.consume({ queues: QUEUE as never }), "STEM_INVALID_OPTION");
        await expectError(() => broker.consume({ queues: [" "] }), "STEM_INVALID_NAME");
        await expectError(() => broker.consume({ broadcastChannels: ["a b"] }), "STEM_INVALID_NAME");
        await expectError(() => broker.consume({ queues: [QUEUE] }, { consumerName: "" }), "STEM_INVALID_NAME");
      }),
    );
  });
}
