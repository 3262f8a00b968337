import { describe, expect, it } from "vitest";
import { anEnvelope } from "../../support/an-envelope.ts";
import { expectError } from "../support.ts";
import { type BrokerBench, LEASE, onBench, type OpenBrokerFixture, QUEUE } from "./broker-bench.ts";
import { bury } from "./dead-letter.contract.ts";

/** Ids of a page of pending messages. */
async function pendingIds(bench: BrokerBench, options: { limit?: number; offset?: number } = {}): Promise<string[]> {
  const { entries } = await bench.broker.listPending(QUEUE, options);
  return entries.map(({ envelope }) => envelope.id);
}

/** Looking at queues without changing them. */
export function describeInspection(open: OpenBrokerFixture): void {
  describe("listQueues", () => describeListQueues(open));
  describe("listPending", () => describeListPending(open));
  describe("listInflight", () => describeListInflight(open));

  describe("pages of messages", () => {
    it.for(["listPending", "listInflight"] as const)("refuse what is no count, and no name: %s", (call, context) =>
      onBench(open, async ({ broker }) => {
        for (const bad of [-1, 1.5, Number.NaN, "1" as never, 10_001]) {
          await expectError(() => broker[call](QUEUE, { limit: bad }), "STEM_INVALID_OPTION");
        }
        await expectError(() => broker[call](QUEUE, { offset: -1 }), "STEM_INVALID_OPTION");
        await expectError(() => broker[call](QUEUE, { page: 1 } as never), "STEM_INVALID_OPTION");
        await expectError(() => broker[call](""), "STEM_INVALID_NAME");
        expect(await broker[call]("unknown")).toEqual({ entries: [] });
      })(context),
    );
  });
}

function describeListQueues(open: OpenBrokerFixture): void {
  it(
    "counts what each queue holds, by name",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      expect(await bench.broker.listQueues()).toEqual([]);
      await bury(bench, "dead", "graves");
      await bench.publish({ queue: "a" });
      await bench.publish({ queue: "a" });
      await bench.publish({ queue: "b" });
      await bench.take("b");
      await bench.publish({ queue: "c", notBefore: new Date(bench.clock.now() + 1) });
      const oldestReadyAt = new Date(bench.clock.now());
      expect(await bench.broker.listQueues()).toEqual([
        { queue: "a", ready: 2, delayed: 0, leased: 0, dead: 0, oldestReadyAt },
        { queue: "b", ready: 0, delayed: 0, leased: 1, dead: 0 },
        { queue: "c", ready: 0, delayed: 1, leased: 0, dead: 0 },
        { queue: "graves", ready: 0, delayed: 0, leased: 0, dead: 1 },
      ]);
    }),
  );

  it(
    "follows a message through its life, and forgets a queue that holds nothing",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      const only = async (): Promise<unknown> => (await bench.broker.listQueues())[0];
      const at = (): Date => new Date(bench.clock.now());
      const none = { queue: QUEUE, ready: 0, delayed: 0, leased: 0, dead: 0 };
      const due = new Date(bench.clock.now() + 500);
      await bench.publish({ notBefore: due });
      expect(await only()).toEqual({ ...none, delayed: 1 });
      await bench.clock.advance(700);
      expect(await only()).toEqual({ ...none, ready: 1, oldestReadyAt: due });
      const first = await bench.take();
      expect(await only()).toEqual({ ...none, leased: 1 });
      await bench.clock.advance(100);
      await bench.broker.nack(first);
      expect(await only()).toEqual({ ...none, ready: 1, oldestReadyAt: at() });
      await bench.take();
      const lapsed = new Date(bench.clock.now() + LEASE);
      await bench.clock.advance(LEASE + 300);
      expect(await only()).toEqual({ ...none, ready: 1, oldestReadyAt: lapsed });
      await bench.broker.deadLetter(await bench.take());
      expect(await only()).toEqual({ ...none, dead: 1 });
      await bench.broker.replayDeadLetters(QUEUE);
      expect(await only()).toEqual({ ...none, ready: 1, oldestReadyAt: at() });
      const last = await bench.take();
      await bench.clock.advance(10);
      await bench.broker.retry(last, { ...last.envelope, attempt: 1 });
      expect(await only()).toEqual({ ...none, ready: 1, oldestReadyAt: at() });
      await bench.broker.ack(await bench.take());
      expect(await bench.broker.listQueues()).toEqual([]);
    }),
  );

  it(
    "says of several ready messages since when the first of them is ready, whatever their order",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      await bench.publish({ notBefore: new Date(bench.clock.now() + 1_000) });
      const oldestReadyAt = new Date(bench.clock.now());
      await bench.publish();
      await bench.clock.advance(2_000);
      await bench.publish({ priority: 9 });
      expect(await bench.broker.listQueues()).toMatchObject([{ ready: 3, oldestReadyAt }]);
    }),
  );

  it(
    "knows since when a message is ready that fell due, or whose lease ended, while somebody waited elsewhere",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      const due = new Date(bench.clock.now() + 400);
      await bench.publish({ queue: "late", notBefore: due });
      await bench.publish({ queue: "lapsed" });
      const held = await bench.take("lapsed");
      const elsewhere = bench.consume("elsewhere");
      const waiting = elsewhere.next();
      await bench.settle();
      await bench.clock.advance(LEASE);
      await bench.settle();
      await bench.clock.advance(LEASE);
      expect(await bench.broker.listQueues()).toMatchObject([
        { queue: "lapsed", ready: 1, oldestReadyAt: held.leaseExpiresAt },
        { queue: "late", ready: 1, oldestReadyAt: due },
      ]);
      await elsewhere.return();
      await waiting;
    }),
  );

  it(
    "shows the queues of its own namespace only",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      const other = await bench.open({ namespace: "elsewhere" });
      await other.publish(anEnvelope({ queue: "theirs" }));
      await bench.publish({ queue: "ours" });
      expect((await bench.broker.listQueues()).map(({ queue }) => queue)).toEqual(["ours"]);
      expect((await other.listQueues()).map(({ queue }) => queue)).toEqual(["theirs"]);
      expect(await other.listPending("ours")).toEqual({ entries: [] });
    }),
  );
}

function describeListPending(open: OpenBrokerFixture): void {
  it(
    "gives ready messages in the order of delivery, then delayed ones by the time they fall due",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      const inMs = (ms: number): Date => new Date(bench.clock.now() + ms);
      const [far, near] = [inMs(9_000), inMs(8_000)];
      await bench.publish({ id: "far", notBefore: far });
      await bench.publish({ id: "near", notBefore: near });
      await bench.publish({ id: "near-and-urgent", notBefore: near, priority: 5 });
      await bench.publish({ id: "due", notBefore: inMs(10) });
      const lapsed = await bench.publish({ id: "lapsed", priority: 1 });
      await bench.take();
      const plain = await bench.publish({ id: "plain", args: { n: 1 } });
      await bench.publish({ id: "urgent", priority: 5 });
      await bench.publish({ id: "other", queue: "other" });
      await bench.clock.advance(LEASE);
      const order = ["urgent", "lapsed", "due", "plain", "near-and-urgent", "near", "far"];
      const { entries } = await bench.broker.listPending(QUEUE);
      expect(entries.map(({ envelope }) => envelope.id)).toEqual(order);
      expect(entries.map(({ visibleAt }) => visibleAt)).toEqual([...Array(4).fill(undefined), near, near, far]);
      expect(entries[1]).toEqual({ envelope: lapsed });
      expect(entries[3]).toEqual({ envelope: plain });
      expect(await bench.drain()).toEqual(order.slice(0, 4));
    }),
  );

  it(
    "leaves out what a consumer holds, and changes nothing",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      await bench.publish({ id: "held" });
      const held = await bench.take();
      await bench.publish({ id: "free" });
      expect(await pendingIds(bench)).toEqual(["free"]);
      expect(await pendingIds(bench)).toEqual(["free"]);
      await bench.broker.ack(held);
      const delivery = await bench.take();
      expect([delivery.envelope.id, delivery.deliveries]).toEqual(["free", 1]);
    }),
  );

  it(
    "gives pages, with nextOffset exactly while more follow",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      for (const id of ["1", "2", "3"]) await bench.publish({ id });
      for (const [id, delay] of [["5", 200] as const, ["4", 100] as const]) {
        await bench.publish({ id, notBefore: new Date(bench.clock.now() + delay) });
      }
      const page = async (limit: number, offset: number): Promise<readonly unknown[]> => {
        const { entries, nextOffset } = await bench.broker.listPending(QUEUE, { limit, offset });
        return [entries.map(({ envelope }) => envelope.id).join(), nextOffset];
      };
      expect(await page(2, 0)).toEqual(["1,2", 2]);
      expect(await page(2, 2)).toEqual(["3,4", 4]);
      expect(await page(2, 4)).toEqual(["5", undefined]);
      expect(await page(3, 0)).toEqual(["1,2,3", 3]);
      expect(await page(2, 3)).toEqual(["4,5", undefined]);
      expect(await page(5, 0)).toEqual(["1,2,3,4,5", undefined]);
      expect(await page(5, 9)).toEqual(["", undefined]);
      expect(await page(0, 0)).toEqual(["", undefined]);
    }),
  );

  it(
    "gives 50 when no limit is named, and a long queue in one page when asked to",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      const ready = Array.from({ length: 130 }, (_, n) => anEnvelope({ id: `ready-${n}` }));
      const notBefore = new Date(bench.clock.now() + 1_000);
      const delayed = Array.from({ length: 70 }, (_, n) => anEnvelope({ id: `delayed-${n}`, notBefore }));
      await bench.broker.publishAll([...delayed, ...ready]);
      const page = await bench.broker.listPending(QUEUE);
      expect([page.entries.length, page.nextOffset]).toEqual([50, 50]);
      const all = [...ready, ...delayed].map(({ id }) => id);
      expect(await pendingIds(bench, { limit: 500 })).toEqual(all);
      expect(await pendingIds(bench, { limit: 100, offset: 90 })).toEqual(all.slice(90, 190));
    }),
  );
}

function describeListInflight(open: OpenBrokerFixture): void {
  it(
    "says what is leased, to whom and how long, the lease that ends next first",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      const long = await bench.publish({ visibilityTimeout: 5 * LEASE });
      const short = await bench.publish();
      const consumer = bench.consume(QUEUE, { prefetch: 2, consumerName: "worker-7" });
      const first = await bench.next(consumer);
      const second = await bench.next(consumer);
      await bench.publish();
      expect(await bench.broker.listInflight(QUEUE)).toEqual({
        entries: [second, first].map(({ envelope, token, deliveries, leaseExpiresAt, leaseMs }) => ({
          envelope,
          token,
          deliveries,
          leaseExpiresAt,
          leaseMs,
          consumerName: "worker-7",
        })),
      });
      expect([first.envelope, second.envelope]).toEqual([long, short]);
      expect(await bench.broker.listInflight("other")).toEqual({ entries: [] });
    }),
  );

  it(
    "follows a lease: extended, lapsed, taken again, ended",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      await bench.publish();
      const first = await bench.take();
      const end = await bench.broker.extendLease(first, 3 * LEASE);
      expect((await bench.broker.listInflight(QUEUE)).entries).toMatchObject([{ leaseExpiresAt: end }]);
      await bench.clock.advance(3 * LEASE);
      expect(await bench.broker.listInflight(QUEUE)).toEqual({ entries: [] });
      const second = await bench.take();
      expect((await bench.broker.listInflight(QUEUE)).entries).toMatchObject([{ token: second.token, deliveries: 2 }]);
      await bench.broker.ack(second);
      expect(await bench.broker.listInflight(QUEUE)).toEqual({ entries: [] });
    }),
  );

  it(
    "gives pages, with nextOffset exactly while more follow",
    onBench(open, async (bench) => {
      bench.needs("supportsQueueInspection");
      await bench.broker.publishAll(Array.from({ length: 3 }, (_, n) => anEnvelope({ id: String(n) })));
      const consumer = bench.consume(QUEUE, { prefetch: 3 });
      for (let n = 0; n < 3; n += 1) await bench.next(consumer);
      const page = async (limit: number, offset: number): Promise<readonly unknown[]> => {
        const { entries, nextOffset } = await bench.broker.listInflight(QUEUE, { limit, offset });
        return [entries.map(({ envelope }) => envelope.id).join(), nextOffset];
      };
      expect(await page(2, 0)).toEqual(["0,1", 2]);
      expect(await page(2, 2)).toEqual(["2", undefined]);
      expect(await page(3, 0)).toEqual(["0,1,2", undefined]);
      expect(await page(0, 0)).toEqual(["", undefined]);
    }),
  );
}
