import { describe, expect, it } from "vitest";
import { anEnvelope } from "../../support/an-envelope.ts";
import { expectError } from "../support.ts";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** The end of a handle. */
export function describeClose(open: OpenBrokerFixture): void {
  describe("close", () => {
    it(
      "refuses every later call",
      onBench(open, async (bench) => {
        const broker = await bench.open();
        await bench.publish();
        const delivery = await bench.take();
        await broker.close();
        const calls = [
          () => broker.publish(anEnvelope()),
          () => broker.publishAll([anEnvelope()]),
          () => broker.consume({ queues: [QUEUE] }),
          () => broker.ack(delivery),
          () => broker.nack(delivery),
          () => broker.retry(delivery, delivery.envelope),
          () => broker.deadLetter(delivery),
          () => broker.extendLease(delivery, LEASE),
          () => broker.purge(QUEUE),
          () => broker.pendingCount(QUEUE),
          () => broker.inflightCount(QUEUE),
          () => broker.listDeadLetters(QUEUE),
          () => broker.getDeadLetter(QUEUE, "1"),
          () => broker.replayDeadLetters(QUEUE),
          () => broker.purgeDeadLetters(QUEUE),
        ];
        for (const call of calls) await expectError(call, "STEM_CLOSED");
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );

    it(
      "throws from consume at the call, not at the first next()",
      onBench(open, async (bench) => {
        const broker = await bench.open();
        await broker.close();
        expect(() => broker.consume({ queues: [QUEUE] })).toThrow(expect.objectContaining({ code: "STEM_CLOSED" }));
      }),
    );

    it(
      "ends consumers: waiting and later next() calls are done",
      onBench(open, async (bench) => {
        const broker = await bench.open();
        const consumer = bench.consume(QUEUE, { broker });
        const waiting = consumer.next();
        await bench.settle();
        await broker.close();
        expect(await bench.arrival(waiting, "the end of next()")).toEqual({ done: true, value: undefined });
        expect(await consumer.next()).toEqual({ done: true, value: undefined });
      }),
    );

    it(
      "gives unseen deliveries back at once, and leaves seen ones leased",
      onBench(open, async (bench) => {
        const broker = await bench.open();
        for (let index = 0; index < 4; index += 1) await bench.publish();
        const consumer = bench.consume(QUEUE, { broker, prefetch: 4 });
        await bench.next(consumer);
        await bench.settle();
        await broker.close();
        expect(await bench.counts()).toEqual([3, 1, 0]);
        expect((await bench.take()).deliveries).toBe(1);
      }),
    );

    it(
      "may be called again, and at once",
      onBench(open, async (bench) => {
        const broker = await bench.open();
        await Promise.all([broker.close(), broker.close()]);
        await broker.close();
        await broker[Symbol.asyncDispose]();
        await bench.publish();
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "is what leaving an await using block does",
      onBench(open, async (bench) => {
        const broker = await bench.open();
        await broker[Symbol.asyncDispose]();
        await expectError(() => broker.pendingCount(QUEUE), "STEM_CLOSED");
      }),
    );
  });
}
