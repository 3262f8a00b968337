import { expect, it, onTestFinished } from "vitest";
import { SqliteBroker, SqliteResultBackend, Stem, Worker } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { Broker, Consumer, Delivery } from "../../../src/contracts/broker.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { onClock, POLL_INTERVAL } from "./open-sqlite.ts";

const LEASE = 1_000;

async function open(maxDeliveries: number) {
  const clock = new FakeClock();
  const connection = onClock(clock, memoryStorage());
  const own = { defaultVisibilityTimeout: LEASE, pollInterval: POLL_INTERVAL, maxDeliveries };
  const broker = await SqliteBroker.open("jobs.sqlite", { ...connection, ...own });
  const backend = await SqliteResultBackend.open("jobs.sqlite", connection);
  onTestFinished(async () => {
    await broker.close();
    await backend.close();
  });
  return { clock, broker, backend };
}

/** Collects what a consumer is given, and settles nothing. */
function collect(consumer: Consumer): Delivery[] {
  const deliveries: Delivery[] = [];
  void (async () => {
    for await (const delivery of consumer) deliveries.push(delivery);
  })();
  return deliveries;
}

async function settled(clock: FakeClock, broker: Broker): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await clock.advance(0);
    await broker.pendingCount("default");
  }
}

it("a message whose leases twice ended without a word is given out alone, and its neighbours are not counted on", async () => {
  const { clock, broker } = await open(4);
  for (const id of ["poison", "a", "b"]) await broker.publish(anEnvelope({ id }));
  const deliveries = collect(broker.consume({ queues: ["default"] }, { prefetch: 10 }));
  await settled(clock, broker);
  await clock.advance(LEASE);
  await settled(clock, broker);
  expect(deliveries.map(({ deliveries: count }) => count)).toEqual([1, 1, 1, 2, 2, 2]);

  for (const count of [3, 4]) {
    await clock.advance(LEASE);
    await settled(clock, broker);
    expect(
      deliveries
        .slice(6)
        .map(({ envelope, deliveries: n }) => [envelope.id, n])
        .at(-1),
    ).toEqual(["poison", count]);
    expect(await broker.inflightCount("default")).toBe(1);
  }
  // The poison is buried, and the others come, one after the other.
  await clock.advance(LEASE);
  await settled(clock, broker);
  const { entries } = await broker.listDeadLetters("default");
  expect(entries.map(({ envelope, reason }) => [envelope.id, reason])).toEqual([["poison", "max-deliveries-exceeded"]]);
  for (const id of ["a", "b"]) {
    const last = deliveries.at(-1)!;
    expect([last.envelope.id, last.deliveries]).toEqual([id, 3]);
    await broker.ack(last);
    await settled(clock, broker);
  }
  await broker.publish(anEnvelope({ id: "c" }));
  await broker.publish(anEnvelope({ id: "d" }));
  await settled(clock, broker);
  expect(await broker.inflightCount("default")).toBe(2);
});

it("a suspect waits for what its consumer holds, and what is behind it waits with it", async () => {
  const { clock, broker } = await open(4);
  await broker.publish(anEnvelope({ id: "suspect", visibilityTimeout: 100 }));
  const deliveries = collect(broker.consume({ queues: ["default"] }, { prefetch: 2 }));
  await settled(clock, broker);
  await clock.advance(100);
  await broker.publish(anEnvelope({ id: "other", visibilityTimeout: 60_000 }));
  await settled(clock, broker);
  await clock.advance(100);
  await broker.publish(anEnvelope({ id: "behind" }));
  await settled(clock, broker);
  expect(deliveries.map(({ envelope }) => envelope.id)).toEqual(["suspect", "suspect", "other"]);

  await broker.ack(deliveries[2]!);
  await settled(clock, broker);
  expect(deliveries.at(-1)?.envelope.id).toBe("suspect");
  await broker.ack(deliveries.at(-1)!);
  await settled(clock, broker);
  expect(deliveries.at(-1)?.envelope.id).toBe("behind");
});

it("whoever waits for a task that was delivered too often is told that it failed", async () => {
  const { clock, broker, backend } = await open(2);
  const stem = new Stem({ broker, backend, clock });
  const id = await stem.enqueue("demo.poison");
  for (let life = 0; life < 2; life += 1) {
    const consumer = broker.consume({ queues: ["default"] });
    const waiting = consumer.next();
    await settled(clock, broker);
    await waiting;
    await consumer.return();
    await clock.advance(LEASE);
  }
  const worker = new Worker({ broker, backend, clock, tasks: [] });
  const result = stem.waitForTask(id);
  await worker.start();
  await settled(clock, broker);
  expect((await result)?.status).toMatchObject({ state: "failed", error: { type: "MaxDeliveriesExceeded" } });
  await worker.shutdown();
  await stem.close();
});
