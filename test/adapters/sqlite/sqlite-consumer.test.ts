import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import { FakeClock, RecordingLogger } from "../../../src/testing/index.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { SimDisk } from "../../support/sim-disk.ts";

const MAIL = { queues: ["mail"] };

describe("SqliteConsumer: a cancellation that meets a fault", () => {
  it.each(["EIO", "ENOSPC"] as const)("takes nothing into empty hands, and buries nothing (%s)", async (kind) => {
    const disk = new SimDisk();
    const clock = new FakeClock();
    const logger = new RecordingLogger();
    const broker = await SqliteBroker.open("q", { storage: disk, clock, engine: "inline", logger, sweeperInterval: 0 });
    await Promise.all([1, 2, 3].map(() => broker.publish(anEnvelope({ queue: "mail" }))));
    const consumer = broker.consume(MAIL, { prefetch: 3 });
    const { value: seen } = await consumer.next();
    if (seen !== undefined) await broker.ack(seen);

    disk.failAt(disk.operationCount, kind, "once");
    await expect(consumer.return()).rejects.toMatchObject({ retryable: true });
    await broker.publish(anEnvelope({ queue: "mail" }));
    // Five leases: as long as it would take to bury everything.
    for (let lease = 0; lease < 6; lease += 1) await clock.advance(30_000);

    expect(await broker.pendingCount("mail")).toBe(3);
    expect((await broker.listDeadLetters("mail")).entries).toEqual([]);
    const next = broker.consume(MAIL, { prefetch: 3 });
    const taken = [await next.next(), await next.next(), await next.next()];
    // What had arrived and was not handed out went without its refund; everything else counts from the start.
    expect(taken.map(({ value }) => value?.deliveries)).toEqual([2, 2, 1]);
    await broker.close();
  });
});
