import { describe, expect, it } from "vitest";
import { anEnvelope } from "../../support/an-envelope.ts";
import { expectError } from "../support.ts";
import { type BrokerBench, LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";

/** Publishes a message and sends it to the dead letters, one second after the one before. */
export async function bury(bench: BrokerBench, id: string, queue: string = QUEUE): Promise<void> {
  await bench.clock.advance(1_000);
  await bench.publish({ id, queue });
  await bench.broker.deadLetter(await bench.take(queue), { reason: `reason of ${id}` });
}

/** Ids of a page of dead letters. */
export async function deadIds(
  bench: BrokerBench,
  options: { limit?: number; offset?: number } = {},
  queue: string = QUEUE,
): Promise<string[]> {
  const { entries } = await bench.broker.listDeadLetters(queue, options);
  return entries.map(({ envelope }) => envelope.id);
}

/** Keeping and reading dead letters. Moving them back is in `replay.contract.ts`. */
export function describeDeadLetter(open: OpenBrokerFixture): void {
  describe("deadLetter", () => {
    it(
      "keeps the envelope, the reason, the meta and the time, and delivers no more",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        const envelope = await bench.publish({ args: { n: 1 }, attempt: 2, priority: 3, meta: { m: [null] } });
        const meta = { error: "boom", list: [1, { "a.b": null }] };
        await bench.broker.deadLetter(await bench.take(), { reason: "max-retries-exhausted", meta });
        const deadAt = new Date(bench.clock.now());
        await bench.clock.advance(10 * LEASE);
        await bench.expectNothing();
        const entry = { envelope, reason: "max-retries-exhausted", meta, deadAt };
        expect(await bench.broker.getDeadLetter(QUEUE, envelope.id)).toEqual(entry);
        expect(await bench.broker.listDeadLetters(QUEUE)).toEqual({ entries: [entry] });
      }),
    );

    it(
      "needs neither reason nor meta",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        const envelope = await bench.publish();
        await bench.broker.deadLetter(await bench.take());
        const entry = await bench.broker.getDeadLetter(QUEUE, envelope.id);
        expect(entry).toEqual({ envelope, meta: {}, deadAt: new Date(bench.clock.now()) });
      }),
    );

    it(
      "ends the delivery: a later call on it finds the lease lost",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        await bench.publish();
        const delivery = await bench.take();
        await bench.broker.deadLetter(delivery);
        await bench.expectLost(() => bench.broker.nack(delivery));
        await bench.expectLost(() => bench.broker.deadLetter(delivery, { reason: "again" }));
        expect(await bench.counts()).toEqual([0, 0, 1]);
      }),
    );

    it(
      "refuses meta that is no JSON, and keeps the lease",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        await bench.publish();
        const delivery = await bench.take();
        const meta = { when: new Date(0) as never };
        await expectError(() => bench.broker.deadLetter(delivery, { meta }), "STEM_PAYLOAD_NOT_SERIALIZABLE");
        await expectError(() => bench.broker.deadLetter(delivery, { reason: 5 as never }), "STEM_INVALID_OPTION");
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );

    it(
      "replaces an older dead letter of the same queue and id",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        await bury(bench, "twice");
        await bury(bench, "between");
        await bench.clock.advance(1_000);
        await bench.publish({ id: "twice", args: { newer: true } });
        await bench.broker.deadLetter(await bench.take(), { reason: "newer" });
        expect(await deadIds(bench)).toEqual(["twice", "between"]);
        const entry = await bench.broker.getDeadLetter(QUEUE, "twice");
        expect(entry).toMatchObject({ reason: "newer", envelope: { args: { newer: true } } });
      }),
    );

    it(
      "keeps one id in two queues apart",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        await bury(bench, "same", "a");
        await bury(bench, "same", "b");
        expect([await deadIds(bench, {}, "a"), await deadIds(bench, {}, "b")]).toEqual([["same"], ["same"]]);
        expect(await bench.broker.purgeDeadLetters("a")).toBe(1);
        expect(await bench.broker.getDeadLetter("a", "same")).toBeNull();
        expect((await bench.broker.getDeadLetter("b", "same"))?.envelope.queue).toBe("b");
      }),
    );
  });

  describe("listDeadLetters", () => {
    it(
      "lists the newest first, also among those of one millisecond",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        await bury(bench, "b");
        await bury(bench, "a");
        await bench.broker.publishAll([anEnvelope({ id: "d" }), anEnvelope({ id: "c" })]);
        await bench.broker.nack(await bench.take(), { requeue: false });
        await bench.broker.nack(await bench.take(), { requeue: false });
        expect(await deadIds(bench)).toEqual(["c", "d", "a", "b"]);
      }),
    );

    it(
      "gives pages, with nextOffset exactly while more follow",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        for (const id of ["1", "2", "3", "4"]) await bury(bench, id);
        const page = async (limit: number, offset: number): Promise<readonly unknown[]> => {
          const { entries, nextOffset } = await bench.broker.listDeadLetters(QUEUE, { limit, offset });
          return [entries.map(({ envelope }) => envelope.id).join(), nextOffset];
        };
        expect(await page(3, 0)).toEqual(["4,3,2", 3]);
        expect(await page(3, 3)).toEqual(["1", undefined]);
        expect(await page(2, 2)).toEqual(["2,1", undefined]);
        expect(await page(4, 0)).toEqual(["4,3,2,1", undefined]);
        expect(await page(4, 9)).toEqual(["", undefined]);
        expect(await deadIds(bench, { limit: 0 })).toEqual([]);
      }),
    );

    it(
      "gives 50 when no limit is named",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        await bench.broker.publishAll(Array.from({ length: 51 }, () => anEnvelope()));
        const consumer = bench.consume(QUEUE, { prefetch: 51 });
        for (let index = 0; index < 51; index += 1) await bench.broker.deadLetter(await bench.next(consumer));
        const page = await bench.broker.listDeadLetters(QUEUE);
        expect([page.entries.length, page.nextOffset]).toEqual([50, 50]);
      }),
    );

    it(
      "refuses limits and offsets that are no counts, and names that are none",
      onBench(open, async ({ broker }) => {
        for (const bad of [-1, 1.5, Number.NaN, "1" as never, 10_001]) {
          await expectError(() => broker.listDeadLetters(QUEUE, { limit: bad }), "STEM_INVALID_OPTION");
        }
        await expectError(() => broker.listDeadLetters(QUEUE, { offset: -1 }), "STEM_INVALID_OPTION");
        await expectError(() => broker.listDeadLetters(""), "STEM_INVALID_NAME");
      }),
    );
  });

  describe("getDeadLetter", () => {
    it(
      "gives null for an unknown id and for one of another queue",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        await bury(bench, "x", "a");
        expect(await bench.broker.getDeadLetter(QUEUE, "x")).toBeNull();
        expect(await bench.broker.getDeadLetter("a", "y")).toBeNull();
      }),
    );
  });

  describe("purgeDeadLetters", () => {
    it(
      "deletes all of one queue and says how many",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        for (const id of ["1", "2"]) await bury(bench, id);
        await bury(bench, "3", "other");
        expect(await bench.broker.purgeDeadLetters(QUEUE)).toBe(2);
        expect(await bench.broker.purgeDeadLetters(QUEUE)).toBe(0);
        expect(await deadIds(bench, {}, "other")).toEqual(["3"]);
      }),
    );

    it(
      "deletes the newest, up to the limit and not before since",
      onBench(open, async (bench) => {
        bench.needs("supportsDeadLettering");
        for (const id of ["1", "2", "3", "4", "5"]) await bury(bench, id);
        expect(await bench.broker.purgeDeadLetters(QUEUE, { limit: 0 })).toBe(0);
        expect(await bench.broker.purgeDeadLetters(QUEUE, { limit: 1 })).toBe(1);
        expect(await deadIds(bench)).toEqual(["4", "3", "2", "1"]);
        const since = (await bench.broker.getDeadLetter(QUEUE, "3"))?.deadAt ?? new Date(0);
        expect(await bench.broker.purgeDeadLetters(QUEUE, { since, limit: 5 })).toBe(2);
        expect(await deadIds(bench)).toEqual(["2", "1"]);
      }),
    );

    it(
      "refuses dates and limits that are none",
      onBench(open, async ({ broker }) => {
        await expectError(() => broker.purgeDeadLetters(QUEUE, { limit: -1 }), "STEM_INVALID_OPTION");
        const since = new Date(Number.NaN);
        await expectError(() => broker.purgeDeadLetters(QUEUE, { since }), "STEM_INVALID_OPTION");
      }),
    );
  });

  describe("dead letter retention", () => {
    it(
      "deletes a dead letter once it is older than the retention, and no earlier",
      onBench(
        open,
        async (bench) => {
          bench.needs("supportsDeadLettering");
          await bury(bench, "1");
          await bench.clock.advance(9_000);
          await bury(bench, "2");
          expect(await deadIds(bench)).toEqual(["2", "1"]);
          await bench.clock.advance(2_000);
          await bench.until(async () => (await deadIds(bench)).length === 1, "the sweep of the older dead letter");
          expect(await deadIds(bench)).toEqual(["2"]);
        },
        { deadLetterRetention: 11_000, sweeperInterval: 500 },
      ),
    );

    it(
      "keeps dead letters for ever when it is 0",
      onBench(
        open,
        async (bench) => {
          bench.needs("supportsDeadLettering");
          await bury(bench, "1");
          await bench.clock.advance(60 * 86_400_000);
          await bench.settle();
          expect(await deadIds(bench)).toEqual(["1"]);
        },
        { deadLetterRetention: 0, sweeperInterval: 86_400_000 },
      ),
    );
  });
}
