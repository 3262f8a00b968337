import { describe, expect, it } from "vitest";
import type { Broker, Consumer } from "../../../src/contracts/broker.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** Several handles on one store, side by side or one after the other. */
export function describeHandles(open: OpenBrokerFixture): void {
  describe("several handles", () => {
    it(
      "give each message to one consumer only, however many claim at once",
      onBench(open, async (bench) => {
        const brokers = [bench.broker, await bench.open(), await bench.open()];
        const consumers = brokers.flatMap((broker) =>
          [1, 2].map(() => ({ broker, consumer: bench.consume(QUEUE, { broker }) })),
        );
        const seen: string[] = [];
        const workers = consumers.map((worker) => work(worker, seen));
        const envelopes = Array.from({ length: 120 }, () => anEnvelope());
        await Promise.all(
          brokers.map((broker, index) => broker.publishAll(envelopes.filter((_, at) => at % 3 === index))),
        );
        await bench.until(async () => seen.length >= 120, "the delivery of all messages");
        await bench.settle();
        await Promise.all(consumers.map(({ consumer }) => consumer.return()));
        await Promise.all(workers);
        expect([...seen].sort()).toEqual(envelopes.map(({ id }) => id).sort());
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "see at once what another has done",
      onBench(open, async (bench) => {
        const other = await bench.open();
        const waiting = other.consume({ queues: [QUEUE] }).next();
        await bench.settle();
        const { id } = await bench.publish();
        const { value } = await bench.arrival(waiting, "a message published through another handle");
        expect(value?.envelope.id).toBe(id);
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.broker.ack(value!);
        expect(await bench.counts(QUEUE, other)).toEqual([0, 0, 0]);
      }),
    );

    it(
      "are woken by what another gives back",
      onBench(open, async (bench) => {
        const other = await bench.open();
        await bench.publish();
        const held = await bench.take();
        const waiting = other.consume({ queues: [QUEUE] }).next();
        await bench.settle();
        await bench.broker.nack(held);
        expect((await bench.arrival(waiting, "the message given back")).value?.deliveries).toBe(2);
      }),
    );
  });

  describe("a handle opened later", () => {
    it(
      "finds pending, delayed and dead messages as they were, and has back what was held",
      onBench(open, async (bench) => {
        bench.needs("persistent");
        const first = await bench.publish({ args: { n: 1 } });
        const held = await bench.take();
        const second = await bench.publish({ args: { n: 2 } });
        const urgent = await bench.publish({ priority: 1 });
        const delayed = await bench.publish({ notBefore: new Date(bench.clock.now() + 5 * LEASE) });
        const dead = await bench.publish({ queue: "dead", args: { n: 3 } });
        await bench.broker.deadLetter(await bench.take("dead"), { reason: "boom", meta: { m: 1 } });

        await bench.reopen();
        expect(await bench.counts()).toEqual([3, 0, 0]);
        const entry = await bench.broker.getDeadLetter("dead", dead.id);
        expect(entry).toMatchObject({ envelope: dead, reason: "boom", meta: { m: 1 } });
        const order = [await bench.take(), await bench.take(), await bench.take()];
        expect(order.map(({ envelope }) => envelope)).toEqual([urgent, first, second]);
        expect(order.map(({ deliveries }) => deliveries)).toEqual([1, 2, 1]);
        expect(order.every(({ token }) => token > held.token)).toBe(true);
        await bench.expectLost(() => bench.broker.ack(held));
        for (const delivery of order) await bench.broker.ack(delivery);
        await bench.clock.advance(5 * LEASE);
        expect((await bench.take()).envelope).toEqual(delayed);
      }),
    );

    it(
      "can settle a delivery of the handle before it, while its lease lasts",
      onBench(open, async (bench) => {
        bench.needs("persistent");
        await bench.publish();
        await bench.publish();
        const [acked, given] = [await bench.take(), await bench.take()];
        await bench.reopen();
        await bench.broker.ack(acked);
        await bench.broker.nack(given);
        expect((await bench.take()).deliveries).toBe(2);
      }),
    );

    it(
      "goes on with greater tokens, also when nothing is left of the earlier ones",
      onBench(open, async (bench) => {
        bench.needs("persistent");
        await bench.publish();
        const { token } = await bench.take();
        await bench.broker.purge(QUEUE);
        await bench.clock.advance(LEASE);
        await bench.broker.purge(QUEUE);
        await bench.reopen();
        await bench.publish();
        expect((await bench.take()).token).toBeGreaterThan(token);
      }),
    );
  });
}

async function work({ broker, consumer }: { broker: Broker; consumer: Consumer }, seen: string[]): Promise<void> {
  for await (const delivery of consumer) {
    seen.push(delivery.envelope.id);
    await broker.ack(delivery);
  }
}
