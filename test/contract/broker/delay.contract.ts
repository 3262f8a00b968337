import { describe, expect, it } from "vitest";
import { track } from "../support.ts";
import { onBench, type OpenBrokerFixture } from "./broker-bench.ts";

/** Messages with a `notBefore`. */
export function describeDelay(open: OpenBrokerFixture): void {
  describe("delayed messages", () => {
    it(
      "are neither pending nor delivered before notBefore, and are both from that millisecond on",
      onBench(open, async (bench) => {
        bench.needs("supportsDelayedDelivery");
        expect(bench.broker.supportsDelayed).toBe(true);
        const { id } = await bench.publish({ notBefore: new Date(bench.clock.now() + 5_000) });
        await bench.clock.advance(4_999);
        expect(await bench.counts()).toEqual([0, 0, 0]);
        await bench.expectNothing();
        await bench.clock.advance(1);
        expect(await bench.counts()).toEqual([1, 0, 0]);
        expect((await bench.take()).envelope.id).toBe(id);
      }),
    );

    it(
      "wake a consumer that waits when they are due, each at its own time",
      onBench(open, async (bench) => {
        bench.needs("supportsDelayedDelivery");
        const consumer = bench.consume(undefined, { prefetch: 2 });
        const waiting = [track(consumer.next()), track(consumer.next())];
        const later = await bench.publish({ notBefore: new Date(bench.clock.now() + 60_000) });
        const sooner = await bench.publish({ notBefore: new Date(bench.clock.now() + 20_000) });
        await bench.clock.advance(20_000);
        const first = await bench.arrival(waiting[0]!.promise, "the first due message");
        expect(first.value?.envelope.id).toBe(sooner.id);
        await bench.broker.ack(first.value!);
        await bench.clock.advance(39_999);
        await bench.settle();
        expect(waiting[1]!.isPending).toBe(true);
        await bench.clock.advance(1);
        const second = await bench.arrival(waiting[1]!.promise, "the second due message");
        expect(second.value?.envelope.id).toBe(later.id);
      }),
    );

    it(
      "do not keep others waiting",
      onBench(open, async (bench) => {
        bench.needs("supportsDelayedDelivery");
        await bench.publish({ priority: 9, notBefore: new Date(bench.clock.now() + 5_000) });
        const { id } = await bench.publish();
        expect((await bench.take()).envelope.id).toBe(id);
      }),
    );

    it(
      "are delivered at once when notBefore has passed or is now",
      onBench(open, async (bench) => {
        const past = await bench.publish({ notBefore: new Date(0) });
        const now = await bench.publish({ notBefore: new Date(bench.clock.now()) });
        expect(await bench.drain()).toEqual([past.id, now.id]);
      }),
    );

    it(
      "can be decades away",
      onBench(open, async (bench) => {
        bench.needs("supportsDelayedDelivery");
        const thirtyYears = 946_728_000_000;
        const waiting = track(bench.consume().next());
        await bench.publish({ notBefore: new Date(bench.clock.now() + thirtyYears) });
        await bench.settle();
        expect(waiting.isPending).toBe(true);
      }),
    );

    it(
      "are visible at once after a nack",
      onBench(open, async (bench) => {
        bench.needs("supportsDelayedDelivery");
        await bench.publish({ notBefore: new Date(bench.clock.now() + 5_000) });
        await bench.clock.advance(5_000);
        await bench.broker.nack(await bench.take());
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );
  });
}
