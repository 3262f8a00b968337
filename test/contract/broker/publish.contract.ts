import { describe, expect, it } from "vitest";
import type { Envelope } from "../../../src/core/envelope.ts";
import { broadcastRoute, queueRoute } from "../../../src/core/routing.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { expectError } from "../support.ts";
import { onBench, type OpenBrokerFixture } from "./broker-bench.ts";

/** What publishing stores, and what it refuses. Taken ids are in `duplicate-id.contract.ts`. */
export function describePublish(open: OpenBrokerFixture): void {
  describe("publish", () => {
    it(
      "answers with the id and that it was stored",
      onBench(open, async ({ broker }) => {
        const envelope = anEnvelope();
        expect(await broker.publish(envelope)).toEqual({ id: envelope.id, outcome: "stored" });
      }),
    );

    it(
      "delivers every field as it was published",
      onBench(open, async (bench) => {
        const envelope = await bench.publish({
          args: { text: "ä\u0000\u{1f600}", list: [1, -0, null, { deep: true }], __proto__x: 1 },
          headers: { traceparent: "00-1", "x-größe": "1" },
          enqueuedAt: new Date("2025-12-31T23:59:59.999Z"),
          notBefore: new Date("2025-12-31T23:59:59.998Z"),
          priority: -3,
          attempt: 2,
          maxRetries: 7,
          visibilityTimeout: 1_234,
          queue: "größe/1",
          meta: { "stem.a.b": ["x"] },
        });
        const delivery = await bench.take("größe/1");
        expect(delivery.envelope).toEqual(envelope);
        expect(delivery.route).toMatchObject({ type: "queue", queue: "größe/1" });
      }),
    );

    it(
      "shares no object with the caller",
      onBench(open, async (bench) => {
        const args = { list: [1] };
        await bench.publish({ args });
        args.list.push(2);
        const first = await bench.take();
        expect(first.envelope.args).toEqual({ list: [1] });
        (first.envelope.args as typeof args).list.push(3);
        await bench.broker.nack(first);
        expect((await bench.take()).envelope.args).toEqual({ list: [1] });
      }),
    );

    it(
      "stores the queue and the priority of the route in the envelope",
      onBench(open, async (bench) => {
        await bench.broker.publish(anEnvelope({ queue: "a" }), { routing: queueRoute(" b ", { priority: 4 }) });
        expect(await bench.broker.pendingCount("a")).toBe(0);
        const { envelope, route } = await bench.take("b");
        expect(envelope).toMatchObject({ queue: "b", priority: 4 });
        expect(route).toMatchObject({ type: "queue", queue: "b" });
      }),
    );

    it(
      "keeps the queue and the priority of the envelope when the route names none",
      onBench(open, async (bench) => {
        await bench.broker.publish(anEnvelope({ queue: "a", priority: 2 }), { routing: { type: "queue", meta: {} } });
        expect((await bench.take("a")).envelope).toMatchObject({ queue: "a", priority: 2 });
      }),
    );

    it(
      "wakes a consumer that waits",
      onBench(open, async (bench) => {
        const consumer = bench.consume();
        const waiting = consumer.next();
        await bench.settle();
        const { id } = await bench.publish();
        const result = await bench.arrival(waiting, "the published message");
        expect(result.value?.envelope.id).toBe(id);
      }),
    );

    it(
      "takes many calls at once, while consumers wait",
      onBench(open, async (bench) => {
        const consumers = [bench.consume("a"), bench.consume("b"), bench.consume("c")];
        const waiting = consumers.map((consumer) => consumer.next());
        const envelopes = Array.from({ length: 60 }, (_, index) => anEnvelope({ queue: "abc"[index % 3] ?? "a" }));
        const receipts = await Promise.all(envelopes.map((envelope) => bench.broker.publish(envelope)));
        expect(receipts.every(({ outcome }) => outcome === "stored")).toBe(true);
        const first = await bench.arrival(Promise.all(waiting), "a delivery to each consumer");
        expect(first.map((result) => result.value?.envelope.queue)).toEqual(["a", "b", "c"]);
        await Promise.all(consumers.map((consumer) => consumer.return()));
        const counts = await Promise.all(["a", "b", "c"].map((queue) => bench.counts(queue)));
        expect(counts).toEqual([19, 19, 19].map((pending) => [pending, 1, 0]));
      }),
    );

    it(
      "treats ids that look like the broker's own as plain ids",
      onBench(open, async (bench) => {
        const { id } = await bench.publish({ id: "broadcast:1@stem/queue" });
        const delivery = await bench.take();
        expect(delivery.envelope.id).toBe(id);
        await bench.broker.ack(delivery);
        expect(await bench.counts()).toEqual([0, 0, 0]);
      }),
    );
  });

  describe("publishAll", () => {
    it(
      "answers in the order of the envelopes, which is the order of delivery",
      onBench(open, async (bench) => {
        const envelopes = [anEnvelope(), anEnvelope(), anEnvelope()];
        const ids = envelopes.map(({ id }) => id);
        const receipts = await bench.broker.publishAll(envelopes);
        expect(receipts).toEqual(ids.map((id) => ({ id, outcome: "stored" })));
        expect(await bench.drain()).toEqual(ids);
      }),
    );

    it(
      "does nothing for no envelopes",
      onBench(open, async ({ broker }) => {
        expect(await broker.publishAll([])).toEqual([]);
      }),
    );

    it(
      "stores none when one is refused",
      onBench(open, async (bench) => {
        const { id } = await bench.publish({ queue: "other" });
        const conflicting = [anEnvelope(), anEnvelope({ id, args: { changed: true } }), anEnvelope()];
        await expectError(() => bench.broker.publishAll(conflicting), "STEM_DUPLICATE_ID");
        const unusable = [anEnvelope(), { ...anEnvelope(), args: { bad: Number.NaN } }];
        await expectError(() => bench.broker.publishAll(unusable), "STEM_PAYLOAD_NOT_SERIALIZABLE");
        expect(await bench.counts()).toEqual([0, 0, 0]);
        expect(await bench.counts("other")).toEqual([1, 0, 0]);
      }),
    );

    it(
      "applies one route to all",
      onBench(open, async (bench) => {
        await bench.broker.publishAll([anEnvelope(), anEnvelope({ queue: "x" })], { routing: queueRoute("routed") });
        expect(await bench.broker.pendingCount("routed")).toBe(2);
      }),
    );
  });

  describe("publish, when it refuses", () => {
    const REFUSED: readonly (readonly [string, () => Envelope, Parameters<typeof expectError>[1]])[] = [
      [
        "a date in args",
        () => ({ ...anEnvelope(), args: { at: new Date() as never } }),
        "STEM_PAYLOAD_NOT_SERIALIZABLE",
      ],
      [
        "undefined in meta",
        () => ({ ...anEnvelope(), meta: { x: undefined as never } }),
        "STEM_PAYLOAD_NOT_SERIALIZABLE",
      ],
      ["a number as header", () => ({ ...anEnvelope(), headers: { x: 1 as never } }), "STEM_PAYLOAD_NOT_SERIALIZABLE"],
      ["large args", () => anEnvelope({ args: { text: "x".repeat(1_000) } }), "STEM_PAYLOAD_TOO_LARGE"],
      ["large meta", () => anEnvelope({ meta: { text: "ä".repeat(300) } }), "STEM_PAYLOAD_TOO_LARGE"],
      ["an empty id", () => ({ ...anEnvelope(), id: "" }), "STEM_INVALID_NAME"],
      ["a queue with a blank", () => ({ ...anEnvelope(), queue: "a b" }), "STEM_INVALID_NAME"],
      ["a fractional priority", () => ({ ...anEnvelope(), priority: 0.5 }), "STEM_INVALID_OPTION"],
      ["a lease of 0", () => ({ ...anEnvelope(), visibilityTimeout: 0 }), "STEM_INVALID_OPTION"],
      ["an invalid date", () => ({ ...anEnvelope(), notBefore: new Date(Number.NaN) }), "STEM_INVALID_OPTION"],
      ["nothing", () => null as never, "STEM_INVALID_OPTION"],
    ];
    it.for(REFUSED)("refuses %s and stores nothing", async ([, make, code], context) => {
      await onBench(
        open,
        async (bench) => {
          await expectError(() => bench.broker.publish(make()), code);
          expect(await bench.counts()).toEqual([0, 0, 0]);
        },
        { maxPayloadBytes: 500 },
      )(context);
    });

    it(
      "refuses routes without a usable name, and unknown conflict rules",
      onBench(open, async ({ broker }) => {
        const publish = (routing: unknown) => () => broker.publish(anEnvelope(), { routing: routing as never });
        await expectError(publish({ type: "queue", queue: "  ", meta: {} }), "STEM_INVALID_NAME");
        await expectError(publish({ type: "broadcast", meta: {} }), "STEM_INVALID_NAME");
        await expectError(publish({ ...broadcastRoute("c"), broadcastChannel: "a b" }), "STEM_INVALID_NAME");
        await expectError(publish({ type: "topic", queue: "a", meta: {} }), "STEM_INVALID_OPTION");
        await expectError(
          () => broker.publish(anEnvelope(), { onConflict: "overwrite" as never }),
          "STEM_INVALID_OPTION",
        );
      }),
    );
  });
}
