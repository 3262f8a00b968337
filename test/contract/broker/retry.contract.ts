import { describe, expect, it } from "vitest";
import { copyEnvelope } from "../../../src/core/envelope.ts";
import { expectError } from "../support.ts";
import { onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** The next attempt, in the place of the delivered message. */
export function describeRetry(open: OpenBrokerFixture): void {
  describe("retry", () => {
    it(
      "puts the next attempt in the message's place, without a dead letter",
      onBench(open, async (bench) => {
        await bench.publish({ maxRetries: 3 });
        const first = await bench.take();
        const next = copyEnvelope(first.envelope, { attempt: 1, meta: { last: "boom" } });
        await bench.broker.retry(first, next);
        expect(await bench.counts()).toEqual([1, 0, 0]);
        const second = await bench.take();
        expect(second.envelope).toEqual(next);
        expect(second.token).toBeGreaterThan(first.token);
      }),
    );

    it(
      "keeps the message's place among those of equal priority",
      onBench(open, async (bench) => {
        const first = await bench.publish();
        const second = await bench.publish();
        const delivery = await bench.take();
        await bench.broker.retry(delivery, copyEnvelope(delivery.envelope, { attempt: 1 }));
        expect(await bench.drain()).toEqual([first.id, second.id]);
      }),
    );

    it(
      "hides the next attempt until its notBefore",
      onBench(open, async (bench) => {
        await bench.publish();
        const first = await bench.take();
        const next = copyEnvelope(first.envelope, { attempt: 1, notBefore: new Date(bench.clock.now() + 3_000) });
        await bench.broker.retry(first, next);
        await bench.clock.advance(2_999);
        await bench.expectNothing();
        await bench.clock.advance(1);
        expect((await bench.take()).envelope).toEqual(next);
      }),
    );

    it(
      "can be repeated, and end among the dead letters",
      onBench(open, async (bench) => {
        const { id } = await bench.publish({ maxRetries: 2 });
        for (const attempt of [1, 2]) {
          const delivery = await bench.take();
          await bench.broker.retry(delivery, copyEnvelope(delivery.envelope, { attempt }));
        }
        const last = await bench.take();
        await bench.broker.deadLetter(last, { reason: "max-retries-exhausted" });
        const entry = await bench.broker.getDeadLetter(QUEUE, id);
        expect(entry).toMatchObject({ reason: "max-retries-exhausted", envelope: { attempt: 2 } });
        expect(await bench.counts()).toEqual([0, 0, 1]);
      }),
    );

    it(
      "starts the count of deliveries anew",
      onBench(
        open,
        async (bench) => {
          await bench.publish();
          await bench.broker.nack(await bench.take());
          const second = await bench.take();
          expect(second.deliveries).toBe(2);
          await bench.broker.retry(second, copyEnvelope(second.envelope, { attempt: 1 }));
          const third = await bench.take();
          expect(third.deliveries).toBe(1);
          await bench.broker.nack(third);
          expect((await bench.take()).deliveries).toBe(2);
        },
        { maxDeliveries: 2 },
      ),
    );

    it(
      "ends the delivery: a later call on it finds the lease lost",
      onBench(open, async (bench) => {
        await bench.publish();
        const first = await bench.take();
        const next = copyEnvelope(first.envelope, { attempt: 1 });
        await bench.broker.retry(first, next);
        await bench.expectLost(() => bench.broker.retry(first, next));
        await bench.expectLost(() => bench.broker.deadLetter(first));
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "refuses an envelope with another id, or one that cannot be stored, and keeps the lease",
      onBench(open, async (bench) => {
        await bench.publish();
        const delivery = await bench.take();
        const other = copyEnvelope(delivery.envelope, { id: "other" });
        await expectError(() => bench.broker.retry(delivery, other), "STEM_INVALID_OPTION");
        const bad = { ...delivery.envelope, args: { n: 1n as never } };
        await expectError(() => bench.broker.retry(delivery, bad), "STEM_PAYLOAD_NOT_SERIALIZABLE");
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );
  });
}
