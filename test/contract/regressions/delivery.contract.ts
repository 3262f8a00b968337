import { describe, expect, it } from "vitest";
import { copyEnvelope } from "../../../src/core/envelope.ts";
import { LEASE, onBench, QUEUE } from "../broker/broker-bench.ts";
import type { OpenBrokerFixture } from "../broker/index.ts";
import { expectError, track } from "../support.ts";

/** Defects in what happens to one delivery. */
export function describeDeliveryRegressions(open: OpenBrokerFixture): void {
  describe("deliveries", () => {
    it(
      "D-1: a second retry of one task neither fails nor loses it, and leaves no phantom dead letter",
      onBench(open, async (bench) => {
        const { id } = await bench.publish({ maxRetries: 2 });
        for (const attempt of [1, 2]) {
          const delivery = await bench.take();
          const notBefore = new Date(bench.clock.now() + 2_000);
          await bench.broker.retry(delivery, copyEnvelope(delivery.envelope, { attempt, notBefore }));
          expect(await bench.counts()).toEqual([0, 0, 0]);
          await bench.clock.advance(2_000);
        }
        const last = await bench.take();
        expect(last.envelope).toMatchObject({ id, attempt: 2 });
        await bench.broker.deadLetter(last, { reason: "max-retries-exhausted" });
        expect(await bench.counts()).toEqual([0, 0, 1]);
        const { entries } = await bench.broker.replayDeadLetters(QUEUE);
        expect(entries.map(({ reason }) => reason)).toEqual(["max-retries-exhausted"]);
      }),
    );

    it(
      "D-1: a task that was dead before can be retried and die again",
      onBench(open, async (bench) => {
        const { id } = await bench.publish();
        await bench.broker.nack(await bench.take(), { requeue: false });
        await bench.broker.replayDeadLetters(QUEUE);
        const again = await bench.take();
        await bench.broker.retry(again, copyEnvelope(again.envelope, { attempt: 1 }));
        await bench.broker.nack(await bench.take(), { requeue: false });
        expect(await bench.counts()).toEqual([0, 0, 1]);
        expect((await bench.broker.getDeadLetter(QUEUE, id))?.envelope.attempt).toBe(1);
      }),
    );

    it(
      "D-2: a dead letter that cannot be stored leaves the message where it was",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        const meta = { cause: new Error("no JSON") as never };
        await expectError(() => bench.broker.deadLetter(delivery, { meta }), "STEM_PAYLOAD_NOT_SERIALIZABLE");
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.broker.deadLetter(delivery);
        expect(await bench.counts()).toEqual([0, 0, 1]);
      }),
    );

    it(
      "D-3: a worker whose lease ran out cannot ack, requeue, bury or extend the delivery of another worker",
      onBench(open, async (bench) => {
        await bench.publish();
        const old = await bench.take();
        await bench.clock.advance(LEASE);
        const current = await bench.take();
        await bench.expectLost(() => bench.broker.ack(old));
        await bench.expectLost(() => bench.broker.nack(old));
        await bench.expectLost(() => bench.broker.deadLetter(old));
        await bench.expectLost(() => bench.broker.extendLease(old, 60_000));
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.broker.ack(current);
      }),
    );

    it(
      "D-4: renewing to the full length at each third keeps the lease, and a short renewal never shortens it",
      onBench(open, async (bench) => {
        await bench.publish({ visibilityTimeout: 120_000 });
        const delivery = await bench.take();
        for (let round = 0; round < 9; round += 1) {
          await bench.clock.advance(delivery.leaseMs / 3);
          await bench.broker.extendLease(delivery, delivery.leaseMs);
        }
        await bench.broker.extendLease(delivery, 30_000);
        await bench.clock.advance(delivery.leaseMs - 1);
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );

    it(
      "D-5: the message's own visibilityTimeout is its lease",
      onBench(open, async (bench) => {
        await bench.publish({ visibilityTimeout: 9 * LEASE });
        await bench.take();
        await bench.clock.advance(9 * LEASE - 1);
        await bench.expectNothing();
        await bench.clock.advance(1);
        expect((await bench.take()).deliveries).toBe(2);
      }),
    );

    it(
      "D-6: a message that kills every worker ends among the dead letters; each delivery was counted in its claim",
      onBench(
        open,
        async (bench) => {
          const { id } = await bench.publish();
          const counted: number[] = [];
          for (let crash = 0; crash < 3; crash += 1) {
            const { deliveries, envelope } = await bench.take();
            counted.push(deliveries);
            expect(envelope.attempt).toBe(0);
            await bench.clock.advance(LEASE);
          }
          await bench.expectNothing();
          expect(counted).toEqual([1, 2, 3]);
          expect((await bench.broker.getDeadLetter(QUEUE, id))?.reason).toBe("max-deliveries-exceeded");
        },
        { maxDeliveries: 3 },
      ),
    );

    it(
      "D-7: one consumer does not lease more than its prefetch, however many wait",
      onBench(open, async (bench) => {
        for (let index = 0; index < 20; index += 1) await bench.publish();
        const consumer = bench.consume(QUEUE, { prefetch: 2 });
        await bench.next(consumer);
        await bench.next(consumer);
        const third = track(consumer.next());
        await bench.settle();
        expect(third.isPending).toBe(true);
        expect(await bench.counts()).toEqual([18, 2, 0]);
      }),
    );

    it(
      "D-9: a consumer that leaves after its first delivery strands no claims",
      onBench(open, async (bench) => {
        for (let index = 0; index < 5; index += 1) await bench.publish();
        for await (const delivery of bench.consume(QUEUE, { prefetch: 5 })) {
          await bench.broker.ack(delivery);
          break;
        }
        expect(await bench.counts()).toEqual([4, 0, 0]);
        expect((await bench.take()).deliveries).toBe(1);
      }),
    );

    it(
      "D-9: consuming from a closed broker throws at the call",
      onBench(open, async (bench) => {
        const broker = await bench.open();
        await broker.close();
        expect(() => broker.consume({ queues: [QUEUE] })).toThrow(expect.objectContaining({ code: "STEM_CLOSED" }));
      }),
    );

    it(
      "D-22: work given back by a shutdown is not held against the message",
      onBench(
        open,
        async (bench) => {
          await bench.publish({ maxRetries: 1 });
          for (let shutdown = 0; shutdown < 4; shutdown += 1) {
            await bench.broker.nack(await bench.take(), { countsAsDelivery: false });
          }
          expect(await bench.take()).toMatchObject({ deliveries: 1, envelope: { attempt: 0 } });
        },
        { maxDeliveries: 2 },
      ),
    );
  });
}
