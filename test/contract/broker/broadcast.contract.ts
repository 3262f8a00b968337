import { describe, expect, it } from "vitest";
import type { BroadcastGap, Broker, Consumer, ConsumeOptions } from "../../../src/contracts/broker.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { track } from "../support.ts";
import { type BrokerBench, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

const TO_NEWS = { routing: broadcastRoute("news") } as const;

/** A consumer of the channel and of a queue, present from its waiting `next()` on. */
async function join(
  bench: BrokerBench,
  broker: Broker,
  options: ConsumeOptions = {},
): Promise<{ consumer: Consumer; first: ReturnType<Consumer["next"]> }> {
  const consumer = broker.consume({ queues: [QUEUE], broadcastChannels: ["news"] }, options);
  const first = consumer.next();
  await bench.settle();
  return { consumer, first };
}

/** What a consumer was told and given, in order. */
type Log = (number | string | undefined)[];

/** A consumer that has read the first broadcast and then nothing, and what it logs from then on. */
async function aSlowReader(bench: BrokerBench, broker: Broker): Promise<{ consumer: Consumer; log: Log }> {
  const log: Log = [];
  const onGap = ({ channel, missed }: BroadcastGap): void => void log.push(`${channel}: ${missed}`);
  const { consumer, first } = await join(bench, broker, { onGap });
  await bench.broker.publish(anEnvelope(), TO_NEWS);
  log.push((await bench.arrival(first, "the first broadcast")).value?.sequence);
  return { consumer, log };
}

async function readInto(log: Log, bench: BrokerBench, consumer: Consumer, count: number): Promise<void> {
  for (let read = 0; read < count; read += 1) log.push((await bench.next(consumer)).sequence);
}

function missedIn(log: Log): number {
  const told = log.filter((entry) => typeof entry === "string");
  return told.reduce((sum, entry) => sum + Number(entry.replace("news: ", "")), 0);
}

/** Whole numbers from `first` to `last`. */
function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
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

    it(
      "has a number, one more than that of the broadcast before it in its channel and namespace",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const elsewhere = await bench.open({ namespace: "elsewhere" });
        const { consumer, first } = await join(bench, bench.broker);
        const weather = bench.broker.consume({ broadcastChannels: ["weather"] });
        const firstOfWeather = weather.next();
        await bench.settle();
        await elsewhere.publish(anEnvelope(), TO_NEWS);
        await bench.broker.publish(anEnvelope(), { routing: broadcastRoute("weather") });
        await bench.broker.publishAll([anEnvelope(), anEnvelope()], TO_NEWS);
        const other = await bench.open();
        await other.publish(anEnvelope(), TO_NEWS);
        expect((await bench.arrival(first, "the first")).value?.sequence).toBe(1);
        expect((await bench.next(consumer)).sequence).toBe(2);
        expect((await bench.next(consumer)).sequence).toBe(3);
        expect((await bench.arrival(firstOfWeather, "the weather")).value?.sequence).toBe(1);
      }),
    );

    it(
      "goes on with its numbers when nobody listens, and after the data were opened anew",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        await bench.broker.publishAll([anEnvelope(), anEnvelope()], TO_NEWS);
        if (bench.broker.capabilities.persistent) await bench.reopen();
        const gaps: BroadcastGap[] = [];
        const { first } = await join(bench, bench.broker, { onGap: (gap) => gaps.push(gap) });
        await bench.broker.publish(anEnvelope(), TO_NEWS);
        expect((await bench.arrival(first, "the broadcast")).value?.sequence).toBe(3);
        // What went by before the consumer began is nothing it missed.
        expect(gaps).toEqual([]);
      }),
    );

    it(
      "waits for a slow reader, up to a thousand; of what was dropped the reader is told before it gets the rest",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const { consumer, log } = await aSlowReader(bench, bench.broker);
        for (let batch = 0; batch < 3; batch += 1) {
          await bench.broker.publishAll(
            Array.from({ length: 500 }, () => anEnvelope()),
            TO_NEWS,
          );
        }
        await bench.settle();
        await readInto(log, bench, consumer, 1_000);
        expect(missedIn(log)).toBe(500);
        // The gap is told, in one or several parts, before the first that did come.
        expect(log.findLastIndex((entry) => typeof entry === "string")).toBeLessThan(log.indexOf(502));
        expect(log.filter((entry) => typeof entry === "number")).toEqual([1, ...range(502, 1_501)]);
        await bench.broker.publish(anEnvelope(), TO_NEWS);
        await readInto(log, bench, consumer, 1);
        expect(log.at(-1)).toBe(1_502);
        expect(missedIn(log)).toBe(500);
      }),
    );

    it(
      "is missed by the slow reader only: every other one has a buffer of its own",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const slow = await aSlowReader(bench, bench.broker);
        const quick = await aSlowReader(bench, await bench.open());
        for (let batch = 0; batch < 3; batch += 1) {
          await bench.broker.publishAll(
            Array.from({ length: 500 }, () => anEnvelope()),
            TO_NEWS,
          );
          await bench.settle();
          await readInto(quick.log, bench, quick.consumer, 500);
        }
        expect(quick.log).toEqual(range(2, 1_502));
        await readInto(slow.log, bench, slow.consumer, 1_000);
        expect(missedIn(slow.log)).toBe(501);
        expect(slow.log.filter((entry) => typeof entry === "number")).toEqual([1, ...range(503, 1_502)]);
      }),
    );

    it(
      "comes whatever the reader makes of a gap",
      onBench(open, async (bench) => {
        bench.needs("supportsBroadcastFanout");
        const onGap = (): void => {
          throw new Error("a gap is not what this reader expected");
        };
        const { consumer, first } = await join(bench, bench.broker, { onGap });
        await bench.broker.publish(anEnvelope(), TO_NEWS);
        await bench.arrival(first, "the first broadcast");
        await bench.broker.publishAll(
          Array.from({ length: 1_001 }, () => anEnvelope()),
          TO_NEWS,
        );
        await bench.settle();
        expect((await bench.next(consumer)).sequence).toBe(3);
      }),
    );
  });
}
