import { describe, expect, it } from "vitest";
import type { Broker, Consumer } from "../../../src/contracts/broker.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { track } from "../support.ts";
import { type BrokerBench, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

const TO_NEWS = { routing: broadcastRoute("news") } as const;

/** A consumer of the channel and of a queue, present from its waiting `next()` on. */
async function join(
  bench: BrokerBench,
  broker: Broker,
): Promise<{ consumer: Consumer; first: ReturnType<Consumer["next"]> }> {
  const consumer = broker.consume({ queues: [QUEUE], broadcastChannels: ["news"] });
  const first = consumer.next();
  await bench.settle();
  return { consumer, first };
}

/** Broadcasts reach the present consumers of a channel, at most once each, and are not stored. */
export function describeBroadcast(open: OpenBrokerFixture): void {
  describe("broadcast", () => {
    it(
      "reaches every present consumer of the channel, through other handles too",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const others = [await bench.open(), await bench.open()];
        const members = [];
        for (const broker of [bench.broker, ...others]) members.push(await join(bench, broker));
        const envelope = anEnvelope({ queue: "elsewhere", args: { n: 1 } });
        expect(await bench.broker.publish(envelope, TO_NEWS)).toEqual({ id: envelope.id, outcome: "broadcast" });
        for (const { first } of members) {
          const { value } = await bench.arrival(first, "the broadcast");
          expect(value?.envelope).toMatchObject({ id: envelope.id, queue: "news", args: { n: 1 } });
        }
        expect(await bench.counts("news")).toEqual([0, 0, 0]);
        expect(await bench.counts("elsewhere")).toEqual([0, 0, 0]);
      }),
    );

    it(
      "comes without a lease",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const { first } = await join(bench, bench.broker);
        await bench.broker.publish(anEnvelope(), TO_NEWS);
        const { value } = await bench.arrival(first, "the broadcast");
        expect(value).toMatchObject({ token: 0, leaseMs: 0, route: { type: "broadcast", broadcastChannel: "news" } });
        expect(value?.leaseExpiresAt).toBeUndefined();
      }),
    );

    it(
      "is settled by nothing: every such call does nothing",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const { consumer, first } = await join(bench, bench.broker);
        await bench.broker.publish(anEnvelope({ id: "shared-id" }), TO_NEWS);
        const delivery = (await bench.arrival(first, "the broadcast")).value!;
        await consumer.return();
        await bench.publish({ id: "shared-id", queue: "news" });
        await bench.take("news");
        await bench.broker.ack(delivery);
        await bench.broker.nack(delivery);
        await bench.broker.nack(delivery, { requeue: false });
        await bench.broker.retry(delivery, delivery.envelope);
        await bench.broker.deadLetter(delivery, { reason: "none" });
        await bench.broker.extendLease(delivery, 1_000);
        expect(await bench.counts("news")).toEqual([0, 1, 0]);
      }),
    );

    it(
      "is missed by consumers that come later, are gone, or listen elsewhere",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const { consumer } = await join(bench, bench.broker);
        await consumer.return();
        const elsewhere = bench.broker.consume({ broadcastChannels: ["weather"] });
        const queueOfThatName = bench.broker.consume({ queues: ["news"] });
        const waiting = [track(elsewhere.next()), track(queueOfThatName.next())];
        await bench.broker.publish(anEnvelope(), TO_NEWS);
        const late = await join(bench, bench.broker);
        waiting.push(track(late.first));
        await bench.settle();
        expect(waiting.map(({ isPending }) => isPending)).toEqual([true, true, true]);
      }),
    );

    it(
      "takes no slot and waits for none",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        await bench.publish();
        const { consumer, first } = await join(bench, bench.broker);
        const held = (await bench.arrival(first, "the message")).value!;
        expect(held.envelope.queue).toBe(QUEUE);
        await bench.broker.publishAll([anEnvelope({ id: "b1" }), anEnvelope({ id: "b2" })], TO_NEWS);
        expect((await bench.next(consumer)).envelope.id).toBe("b1");
        expect((await bench.next(consumer)).envelope.id).toBe("b2");
        await bench.publish();
        await bench.broker.ack(held);
        expect((await bench.next(consumer)).envelope.queue).toBe(QUEUE);
      }),
    );

    it(
      "may use one id several times",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const { consumer, first } = await join(bench, bench.broker);
        const envelope = anEnvelope();
        await bench.broker.publish(envelope, TO_NEWS);
        await bench.broker.publish(envelope, TO_NEWS);
        expect((await bench.arrival(first, "the broadcast")).value?.envelope.id).toBe(envelope.id);
        expect((await bench.next(consumer)).envelope.id).toBe(envelope.id);
      }),
    );
  });
}
