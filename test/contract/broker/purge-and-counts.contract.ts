import { describe, expect, it } from "vitest";
import { expectError } from "../support.ts";
import { LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";
import { bury } from "./dead-letter.contract.ts";

/** Deleting what waits, and counting what is there. */
export function describePurgeAndCounts(open: OpenBrokerFixture): void {
  describe("purge", () => {
    it(
      "deletes pending and delayed messages and says how many",
      onBench(open, async (bench) => {
        await bench.publish();
        await bench.publish({ priority: 3 });
        await bench.publish({ notBefore: new Date(bench.clock.now() + 1_000) });
        expect(await bench.broker.purge(QUEUE)).toBe(3);
        expect(await bench.broker.purge(QUEUE)).toBe(0);
        await bench.clock.advance(1_000);
        await bench.expectNothing();
      }),
    );

    it(
      "leaves leased messages, dead letters and other queues",
      onBench(open, async (bench) => {
        await bury(bench, "dead");
        await bench.publish();
        const held = await bench.take();
        await bench.publish();
        await bench.publish({ queue: "other" });
        expect(await bench.broker.purge(QUEUE)).toBe(1);
        expect(await bench.counts()).toEqual([0, 1, 1]);
        expect(await bench.counts("other")).toEqual([1, 0, 0]);
        await bench.broker.nack(held);
        expect((await bench.take()).envelope.id).toBe(held.envelope.id);
      }),
    );

    it(
      "deletes a message whose lease has run out; its delivery is then lost",
      onBench(open, async (bench) => {
        await bench.publish();
        const late = await bench.take();
        await bench.clock.advance(LEASE);
        expect(await bench.broker.purge(QUEUE)).toBe(1);
        await bench.expectLost(() => bench.broker.nack(late));
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "frees the ids for new messages",
      onBench(open, async (bench) => {
        const { id } = await bench.publish();
        await bench.broker.purge(QUEUE);
        await bench.publish({ id, args: { other: true } });
        expect(await bench.counts()).toEqual([1, 0, 0]);
      }),
    );
  });

  describe("counts", () => {
    it(
      "follow a message through its life",
      onBench(open, async (bench) => {
        bench.needs("supportsQueueInspection");
        expect(await bench.counts()).toEqual([0, 0, 0]);
        await bench.publish();
        expect(await bench.counts()).toEqual([1, 0, 0]);
        const first = await bench.take();
        expect(await bench.counts()).toEqual([0, 1, 0]);
        await bench.broker.nack(first);
        expect(await bench.counts()).toEqual([1, 0, 0]);
        const second = await bench.take();
        await bench.clock.advance(LEASE);
        expect(await bench.counts()).toEqual([1, 0, 0]);
        await bench.broker.deadLetter(second);
        expect(await bench.counts()).toEqual([0, 0, 1]);
      }),
    );

    it(
      "are 0 for unknown queues, and refuse what is no name",
      onBench(open, async ({ broker }) => {
        expect([await broker.pendingCount("unknown"), await broker.inflightCount("unknown")]).toEqual([0, 0]);
        for (const call of ["pendingCount", "inflightCount", "purge"] as const) {
          await expectError(() => broker[call](""), "STEM_INVALID_NAME");
        }
      }),
    );
  });
}
