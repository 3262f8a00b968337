import { describe, expect, it } from "vitest";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { track } from "../support.ts";
import { onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** Two namespaces of one store do not see each other. */
export function describeNamespaces(open: OpenBrokerFixture): void {
  describe("namespaces", () => {
    it(
      "are named by the broker",
      onBench(open, async (bench) => {
        expect(bench.broker.namespace).toBe("stem");
        expect((await bench.open({ namespace: "tenant-2" })).namespace).toBe("tenant-2");
      }),
    );

    it(
      "keep messages of one id and queue apart, from publishing to ack",
      onBench(open, async (bench) => {
        const other = await bench.open({ namespace: "other" });
        await bench.publish({ id: "same", args: { owner: "stem" } });
        expect(await bench.counts(QUEUE, other)).toEqual([0, 0, 0]);
        await other.publish(anEnvelope({ id: "same", args: { owner: "other" } }));
        const [mine, theirs] = [await bench.take(), await bench.take(QUEUE, other)];
        expect([mine.envelope.args, theirs.envelope.args]).toEqual([{ owner: "stem" }, { owner: "other" }]);
        await bench.broker.ack(mine);
        expect(await bench.counts()).toEqual([0, 0, 0]);
        expect(await bench.counts(QUEUE, other)).toEqual([0, 1, 0]);
      }),
    );

    it(
      "keep dead letters apart, and their replay and purge",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        const other = await bench.open({ namespace: "other" });
        for (const broker of [bench.broker, other]) {
          await broker.publish(anEnvelope({ id: "same" }));
          await broker.deadLetter(await bench.take(QUEUE, broker), { reason: broker.namespace });
        }
        expect((await bench.broker.getDeadLetter(QUEUE, "same"))?.reason).toBe("stem");
        expect((await other.getDeadLetter(QUEUE, "same"))?.reason).toBe("other");
        await bench.broker.replayDeadLetters(QUEUE);
        expect([await bench.counts(), await bench.counts(QUEUE, other)]).toEqual([
          [1, 0, 0],
          [0, 0, 1],
        ]);
        expect(await other.purge(QUEUE)).toBe(0);
        expect(await other.purgeDeadLetters(QUEUE)).toBe(1);
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );

    it(
      "keep waiting consumers and broadcasts apart",
      onBench(open, async (bench) => {
        const other = await bench.open({ namespace: "other" });
        const waiting = track(other.consume({ queues: [QUEUE], broadcastChannels: ["news"] }).next());
        await bench.settle();
        await bench.publish();
        if (bench.broker.capabilities.supportsBroadcastFanout) {
          await bench.broker.publish(anEnvelope(), { routing: broadcastRoute("news") });
        }
        await bench.settle();
        expect(waiting.isPending).toBe(true);
      }),
    );
  });
}
