import { describe, expect, it } from "vitest";
import { copyEnvelope, type Envelope } from "../../../src/core/envelope.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { LEASE, onBench, QUEUE } from "../broker/broker-bench.ts";
import { bury, deadIds } from "../broker/dead-letter.contract.ts";
import type { OpenBrokerFixture } from "../broker/index.ts";
import { expectError } from "../support.ts";

/** Defects in publishing, order, dead letters and counts. */
export function describeQueueRegressions(open: OpenBrokerFixture): void {
  describe("queues", () => {
    it(
      "D-12: one id in two namespaces is two messages and two dead letters",
      onBench(open, async (bench) => {
        const other = await bench.open({ namespace: "other" });
        for (const broker of [bench.broker, other]) {
          await broker.publish(anEnvelope({ id: "same", args: { of: broker.namespace } }));
        }
        for (const broker of [bench.broker, other]) {
          const delivery = await bench.take(QUEUE, broker);
          expect(delivery.envelope.args).toEqual({ of: broker.namespace });
          await broker.deadLetter(delivery);
        }
        expect([await bench.counts(), await bench.counts(QUEUE, other)]).toEqual([
          [0, 0, 1],
          [0, 0, 1],
        ]);
      }),
    );

    it(
      "D-13: publishing an id that is being worked on does not reset it",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        const delivery = await bench.take();
        const changed = copyEnvelope(envelope, { args: { other: true } });
        await expectError(() => bench.broker.publish(changed), "STEM_DUPLICATE_ID");
        const replace = { onConflict: "replace-pending" } as const;
        await expectError(() => bench.broker.publish(changed, replace), "STEM_DUPLICATE_ID");
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.broker.ack(delivery);
      }),
    );

    it(
      "D-13: the ack of an earlier execution does not delete a new message of the same id",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        const old = await bench.take();
        await bench.clock.advance(LEASE);
        await bench.broker.ack(await bench.take());
        await bench.broker.publish(copyEnvelope(envelope, { args: { newer: true } }));
        await bench.expectLost(() => bench.broker.ack(old));
        expect((await bench.take()).envelope.args).toEqual({ newer: true });
      }),
    );

    it(
      "D-17: a broadcast reaches every present consumer through every handle, and is no task of one of them",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const brokers = [bench.broker, await bench.open()];
        const waiting = brokers.map((broker) => broker.consume({ broadcastChannels: ["control"] }).next());
        await bench.settle();
        await bench.broker.publish(anEnvelope({ id: "ping" }), { routing: broadcastRoute("control") });
        const results = await bench.arrival(Promise.all(waiting), "the broadcast");
        expect(results.map(({ value }) => value?.envelope.id)).toEqual(["ping", "ping"]);
      }),
    );

    it(
      "D-26: a list of dead letters that fits exactly has no next page",
      onBench(open, async (bench) => {
        for (const id of ["1", "2"]) await bury(bench, id);
        expect((await bench.broker.listDeadLetters(QUEUE, { limit: 2 })).nextOffset).toBeUndefined();
        expect((await bench.broker.listDeadLetters(QUEUE, { limit: 1 })).nextOffset).toBe(1);
      }),
    );

    it(
      "D-26: purging dead letters with a limit still looks at since",
      onBench(open, async (bench) => {
        for (const id of ["1", "2", "3"]) await bury(bench, id);
        const since = (await bench.broker.getDeadLetter(QUEUE, "3"))?.deadAt ?? new Date(0);
        expect(await bench.broker.purgeDeadLetters(QUEUE, { since, limit: 3 })).toBe(1);
        expect(await deadIds(bench)).toEqual(["2", "1"]);
      }),
    );

    it(
      "D-26: a replay takes the oldest first and gives an exhausted task its attempts back",
      onBench(open, async (bench) => {
        for (const id of ["older", "newer"]) {
          await bench.publish({ id, attempt: 3, maxRetries: 3 });
          await bench.broker.deadLetter(await bench.take());
          await bench.clock.advance(1_000);
        }
        await bench.broker.replayDeadLetters(QUEUE, { limit: 1 });
        expect((await bench.take()).envelope).toMatchObject({ id: "older", attempt: 0 });
      }),
    );

    it(
      "D-26: a replay leaves the dead letter of another queue with the same id",
      onBench(open, async (bench) => {
        await bury(bench, "same", "a");
        await bury(bench, "same", "b");
        await bench.broker.replayDeadLetters("a");
        expect(await deadIds(bench, {}, "b")).toEqual(["same"]);
      }),
    );
  });

  describe("order, counts and time", () => {
    it(
      "D-25: an interval of 0 turns the sweeper off instead of spinning",
      onBench(open, async (bench) => {
        await bench.clock.advance(3_600_000);
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "D-39: messages of one instant are delivered in the order of publishing",
      onBench(open, async (bench) => {
        const enqueuedAt = new Date(bench.clock.now());
        const envelopes: Envelope[] = [];
        for (let index = 0; index < 30; index += 1) {
          envelopes.push(await bench.publish({ id: `${(index * 17) % 30}`, enqueuedAt }));
        }
        expect(await bench.drain()).toEqual(envelopes.map(({ id }) => id));
      }),
    );

    it(
      "D-40: purging a queue deletes neither what is worked on nor the dead letters",
      onBench(open, async (bench) => {
        await bury(bench, "dead");
        await bench.publish();
        const delivery = await bench.take();
        await bench.publish();
        await bench.broker.purge(QUEUE);
        expect(await bench.counts()).toEqual([0, 1, 1]);
        await bench.broker.ack(delivery);
      }),
    );

    it(
      "D-41: instants come back as the same instants, whatever their zone was",
      onBench(open, async (bench) => {
        const enqueuedAt = new Date("2026-03-29T01:30:00+14:00");
        const notBefore = new Date("2025-10-26T02:30:00.001-11:00");
        await bench.publish({ enqueuedAt, notBefore });
        const { envelope } = await bench.take();
        expect(envelope.enqueuedAt.toISOString()).toBe("2026-03-28T11:30:00.000Z");
        expect(envelope.notBefore?.toISOString()).toBe("2025-10-26T13:30:00.001Z");
      }),
    );

    it(
      "D-43: one subscription consumes several queues",
      onBench(open, async (bench) => {
        bench.needs("supportsMultipleQueues");
        for (const queue of ["a", "b", "c"]) await bench.publish({ queue });
        const consumer = bench.broker.consume({ queues: ["c", "b", "a"] }, { prefetch: 3 });
        const queues = [await bench.next(consumer), await bench.next(consumer), await bench.next(consumer)];
        expect(queues.map(({ envelope }) => envelope.queue)).toEqual(["a", "b", "c"]);
      }),
    );

    it(
      "D-44: a waiting consumer is woken by the publish and by the next due time, not by a poll",
      onBench(open, async (bench) => {
        const consumer = bench.consume();
        const first = consumer.next();
        await bench.settle();
        await bench.publish();
        const { value } = await bench.arrival(first, "the published message");
        await bench.broker.ack(value!);
        const second = consumer.next();
        await bench.publish({ notBefore: new Date(bench.clock.now() + 3) });
        await bench.clock.advance(3);
        await bench.arrival(second, "the message that is due");
      }),
    );
  });
}
