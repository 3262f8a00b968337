import { describe, expect, it } from "vitest";
import { copyEnvelope } from "../../../src/core/envelope.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { expectError } from "../support.ts";
import { LEASE, onBench, type OpenBrokerFixture } from "./broker-bench.ts";

/** What happens when a published id is stored already. */
export function describeDuplicateId(open: OpenBrokerFixture): void {
  describe("publish of a stored id", () => {
    it(
      "does nothing for the very same message, so that a call can be repeated",
      onBench(open, async (bench) => {
        const envelope = await bench.publish({ args: { n: 1 } });
        expect(await bench.broker.publish(envelope)).toEqual({ id: envelope.id, outcome: "duplicate" });
        const later = copyEnvelope(envelope, { attempt: 3, priority: 9 });
        expect((await bench.broker.publish(later)).outcome).toBe("duplicate");
        expect((await bench.take()).envelope).toEqual(envelope);
        expect((await bench.broker.publish(envelope)).outcome).toBe("duplicate");
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );

    it(
      "rejects other content and keeps the first message",
      onBench(open, async (bench) => {
        const envelope = await bench.publish({ args: { n: 1 } });
        for (const changes of [{ args: { n: 2 } }, { queue: "other" }, { headers: { x: "1" } }, { name: "other" }]) {
          await expectError(() => bench.broker.publish(copyEnvelope(envelope, changes)), "STEM_DUPLICATE_ID");
        }
        expect(await bench.broker.pendingCount("other")).toBe(0);
        expect((await bench.take()).envelope).toEqual(envelope);
      }),
    );

    it(
      "rejects other content while the message is leased, and the lease goes on",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        const delivery = await bench.take();
        const other = copyEnvelope(envelope, { args: { other: true } });
        await expectError(() => bench.broker.publish(other), "STEM_DUPLICATE_ID");
        await bench.broker.ack(delivery);
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );

    it(
      "accepts an id again once its message is gone",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        await bench.broker.ack(await bench.take());
        expect((await bench.broker.publish(envelope)).outcome).toBe("stored");
        expect((await bench.take()).deliveries).toBe(1);
      }),
    );

    it(
      "accepts an id that is among the dead letters",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        await bench.broker.deadLetter(await bench.take());
        expect((await bench.broker.publish(envelope)).outcome).toBe("stored");
        expect(await bench.counts()).toEqual([1, 0, 1]);
      }),
    );

    it(
      "sees the ids of its own batch",
      onBench(open, async (bench) => {
        const envelope = anEnvelope();
        const receipts = await bench.broker.publishAll([envelope, envelope]);
        expect(receipts.map(({ outcome }) => outcome)).toEqual(["stored", "duplicate"]);
        const other = anEnvelope();
        const conflicting = [other, copyEnvelope(other, { args: { n: 2 } })];
        await expectError(() => bench.broker.publishAll(conflicting), "STEM_DUPLICATE_ID");
        expect(await bench.drain()).toEqual([envelope.id]);
      }),
    );
  });

  describe('publish with onConflict "replace-pending"', () => {
    const options = { onConflict: "replace-pending" } as const;

    it(
      "takes the place of a message that waits",
      onBench(open, async (bench) => {
        const envelope = await bench.publish({ args: { n: 1 } });
        const next = copyEnvelope(envelope, { args: { n: 2 }, priority: 5 });
        expect(await bench.broker.publish(next, options)).toEqual({ id: envelope.id, outcome: "replaced" });
        expect((await bench.take()).envelope).toEqual(next);
        expect(await bench.counts()).toEqual([0, 1, 0]);
      }),
    );

    it(
      "takes the place of a delayed message, also with another queue",
      onBench(open, async (bench) => {
        const envelope = await bench.publish({ notBefore: new Date(bench.clock.now() + 5_000) });
        const next = copyEnvelope(envelope, { queue: "other", notBefore: null });
        expect((await bench.broker.publish(next, options)).outcome).toBe("replaced");
        await bench.clock.advance(5_000);
        expect(await bench.broker.pendingCount(envelope.queue)).toBe(0);
        expect((await bench.take("other")).envelope).toEqual(next);
      }),
    );

    it(
      "stores an id that is not there and does nothing for the same message",
      onBench(open, async (bench) => {
        const envelope = anEnvelope();
        expect((await bench.broker.publish(envelope, options)).outcome).toBe("stored");
        expect((await bench.broker.publish(envelope, options)).outcome).toBe("duplicate");
      }),
    );

    it(
      "rejects while a consumer holds the message",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        const delivery = await bench.take();
        const next = copyEnvelope(envelope, { args: { n: 2 } });
        await expectError(() => bench.broker.publish(next, options), "STEM_DUPLICATE_ID");
        await bench.broker.nack(delivery);
        expect((await bench.take()).envelope).toEqual(envelope);
      }),
    );

    it(
      "ends the claim of a delivery whose lease has run out",
      onBench(open, async (bench) => {
        const envelope = await bench.publish();
        const late = await bench.take();
        await bench.clock.advance(LEASE);
        const next = copyEnvelope(envelope, { args: { n: 2 } });
        expect((await bench.broker.publish(next, options)).outcome).toBe("replaced");
        await bench.expectLost(() => bench.broker.ack(late));
        const delivery = await bench.take();
        expect(delivery.envelope).toEqual(next);
        expect(delivery.deliveries).toBe(1);
      }),
    );
  });
}
