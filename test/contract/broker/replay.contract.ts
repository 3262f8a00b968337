import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import { onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";
import { bury, deadIds } from "./dead-letter.contract.ts";

/** Moving dead letters back to their queue. */
export function describeReplay(open: OpenBrokerFixture): void {
  describe("replayDeadLetters", () => {
    it(
      "moves the dead letters back to their queue",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        const envelope = await bench.publish({ args: { n: 1 }, priority: 2 });
        await bench.broker.deadLetter(await bench.take(), { reason: "boom", meta: { m: 1 } });
        const entry = await bench.broker.getDeadLetter(QUEUE, envelope.id);
        const result = await bench.broker.replayDeadLetters(QUEUE);
        expect(result).toEqual({ entries: [entry], dryRun: false });
        expect(await bench.counts()).toEqual([1, 0, 0]);
        const delivery = await bench.take();
        expect(delivery.envelope).toEqual(envelope);
        expect(delivery.deliveries).toBe(1);
      }),
    );

    it(
      "wakes a consumer that waits",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        await bury(bench, "1");
        const waiting = bench.consume().next();
        await bench.settle();
        await bench.broker.replayDeadLetters(QUEUE);
        expect((await bench.arrival(waiting, "the replayed message")).value?.envelope.id).toBe("1");
      }),
    );

    it(
      "reports the same entries and changes nothing in a dry run",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        for (const id of ["1", "2", "3"]) await bury(bench, id);
        const dry = await bench.broker.replayDeadLetters(QUEUE, { dryRun: true, limit: 2 });
        expect(dry.dryRun).toBe(true);
        expect(await bench.counts()).toEqual([0, 0, 3]);
        const real = await bench.broker.replayDeadLetters(QUEUE, { limit: 2 });
        expect(real).toEqual({ ...dry, dryRun: false });
      }),
    );

    it(
      "takes the oldest first, up to the limit, in the order they are delivered again",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        for (const id of ["3", "1", "2"]) await bury(bench, id);
        await bench.publish({ id: "waiting" });
        expect((await bench.broker.replayDeadLetters(QUEUE, { limit: 0 })).entries).toEqual([]);
        const { entries } = await bench.broker.replayDeadLetters(QUEUE, { limit: 2 });
        expect(entries.map(({ envelope }) => envelope.id)).toEqual(["3", "1"]);
        expect(await deadIds(bench)).toEqual(["2"]);
        expect(await bench.drain()).toEqual(["waiting", "3", "1"]);
      }),
    );

    it(
      "takes only what died at or after since",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        for (const id of ["1", "2", "3"]) await bury(bench, id);
        const since = (await bench.broker.getDeadLetter(QUEUE, "2"))?.deadAt ?? new Date(0);
        await bench.broker.replayDeadLetters(QUEUE, { since });
        expect(await deadIds(bench)).toEqual(["1"]);
        const after = { since: new Date(since.getTime() + 5_000) };
        expect((await bench.broker.replayDeadLetters(QUEUE, after)).entries).toEqual([]);
      }),
    );

    it(
      "hides the messages for the delay",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        await bury(bench, "1");
        await bench.broker.replayDeadLetters(QUEUE, { delay: 5_000 });
        const due = new Date(bench.clock.now() + 5_000);
        await bench.clock.advance(4_999);
        await bench.expectNothing();
        expect(await bench.counts()).toEqual([0, 0, 0]);
        await bench.clock.advance(1);
        expect((await bench.take()).envelope.notBefore).toEqual(due);
      }),
    );

    it(
      "starts the attempts anew, unless told not to, and counts deliveries from 1",
      onBench(
        open,
        async (bench) => {
          bench.needs("supportsDeadLetterReplay");
          await bench.publish({ attempt: 3, maxRetries: 3 });
          await bench.broker.nack(await bench.take());
          await bench.broker.nack(await bench.take());
          await bench.broker.replayDeadLetters(QUEUE, { resetAttempts: false });
          const kept = await bench.take();
          expect([kept.envelope.attempt, kept.deliveries]).toEqual([3, 1]);
          await bench.broker.deadLetter(kept);
          await bench.broker.replayDeadLetters(QUEUE);
          const reset = await bench.take();
          expect([reset.envelope.attempt, reset.deliveries]).toEqual([0, 1]);
        },
        { maxDeliveries: 2 },
      ),
    );

    it(
      "leaves out ids that are queued again, and keeps their dead letters",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        for (const id of ["1", "2", "3"]) await bury(bench, id);
        await bench.publish({ id: "1", args: { newer: true } });
        await bench.publish({ id: "2", queue: "other" });
        const held = await bench.take("other");
        const { entries } = await bench.broker.replayDeadLetters(QUEUE, { limit: 2 });
        expect(entries.map(({ envelope }) => envelope.id)).toEqual(["3"]);
        expect(await deadIds(bench)).toEqual(["2", "1"]);
        await bench.broker.ack(held);
        expect((await bench.take()).envelope.args).toEqual({ newer: true });
        expect((await bench.broker.replayDeadLetters(QUEUE)).entries).toHaveLength(1);
      }),
    );

    it(
      "touches no other queue",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLetterReplay");
        await bury(bench, "1", "a");
        expect(await bench.broker.replayDeadLetters(QUEUE)).toEqual({ entries: [], dryRun: false });
        expect(await deadIds(bench, {}, "a")).toEqual(["1"]);
      }),
    );

    it(
      "refuses options of the wrong kind",
      onBench(open, async ({ broker }) => {
        const bad = [
          { limit: -1 },
          { limit: 10_001 },
          { since: "now" },
          { delay: -1 },
          { dryRun: 1 },
          { resetAttempts: 0 },
        ];
        for (const options of bad) {
          await expectError(() => broker.replayDeadLetters(QUEUE, options as never), "STEM_INVALID_OPTION");
        }
      }),
    );
  });
}
