import { describe, expect, it } from "vitest";
import { InMemoryBroker, inMemoryBrokerStore } from "../../../adapters/memory/index.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { describeBrokerContract } from "../../contract/broker/index.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { openInMemoryBrokers } from "./open-in-memory.ts";

describeBrokerContract("InMemoryBroker", openInMemoryBrokers);

describe("InMemoryBroker", () => {
  it("has a store of its own unless given one", async () => {
    const clock = new FakeClock();
    const store = inMemoryBrokerStore();
    const [alone, one, two] = [
      new InMemoryBroker({ clock }),
      new InMemoryBroker({ clock, store }),
      new InMemoryBroker({ clock, store }),
    ];
    await one.publish(anEnvelope());
    expect(await two.pendingCount("default")).toBe(1);
    expect(await alone.pendingCount("default")).toBe(0);
    for (const broker of [alone, one, two]) await broker.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("shares no transaction with any backend", () => {
    const broker = new InMemoryBroker({ clock: new FakeClock() });
    expect(broker.settlerFor({} as never)).toBeUndefined();
    expect(broker.capabilities.persistent).toBe(false);
  });

  it("starts its tokens at the present time, so that a later process continues above them", async () => {
    const clock = new FakeClock();
    const broker = new InMemoryBroker({ clock });
    await broker.publish(anEnvelope());
    const { value } = await broker.consume({ queues: ["default"] }).next();
    expect(value?.token).toBeGreaterThanOrEqual(clock.now() * 1024);
    await broker.close();
  });

  it("forgets finished deliveries beyond a bound; a second ack of one so old finds its lease lost", async () => {
    const broker = new InMemoryBroker({ clock: new FakeClock() });
    const consumer = broker.consume({ queues: ["default"] });
    await broker.publish(anEnvelope());
    const first = (await consumer.next()).value!;
    await broker.ack(first);
    for (let index = 0; index < 10_000; index += 1) {
      await broker.publish(anEnvelope());
      await broker.ack((await consumer.next()).value!);
    }
    await expect(broker.ack(first)).rejects.toMatchObject({ code: "STEM_LEASE_LOST" });
    await broker.close();
  });

  it("drops the oldest broadcast of a consumer that does not read, and says so", async () => {
    const logger = new RecordingLogger();
    const broker = new InMemoryBroker({ clock: new FakeClock(), logger });
    const consumer = broker.consume({ broadcastChannels: ["news"] });
    const first = consumer.next();
    const routing = broadcastRoute("news");
    await broker.publish(anEnvelope(), { routing });
    await first;
    const kept = Array.from({ length: 1_001 }, () => anEnvelope());
    await broker.publishAll(kept, { routing });
    expect((await consumer.next()).value?.envelope.id).toBe(kept[1]?.id);
    expect(logger.records).toMatchObject([{ level: "warn", facts: { channel: "news" } }]);
    await broker.close();
  });

  it("counts a consumer as present, for broadcasts, from its first next() on", async () => {
    const broker = new InMemoryBroker({ clock: new FakeClock() });
    const consumer = broker.consume({ broadcastChannels: ["news"] });
    const routing = broadcastRoute("news");
    await broker.publish(anEnvelope({ id: "too-early" }), { routing });
    const next = consumer.next();
    await broker.publish(anEnvelope({ id: "seen" }), { routing });
    expect((await next).value?.envelope.id).toBe("seen");
    await broker.close();
  });

  it("keeps the process alive while a consumer waits for a delayed message, and only then", async () => {
    const clock = new FakeClock();
    const keepsAlive = new Set<object>();
    const broker = new InMemoryBroker({
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        schedule(callback, delayMs, options) {
          const timer = clock.schedule(callback, delayMs);
          if (options?.keepAlive === true) keepsAlive.add(timer);
          return {
            cancel() {
              keepsAlive.delete(timer);
              timer.cancel();
            },
          };
        },
      },
    });
    await broker.publish(anEnvelope({ notBefore: new Date(clock.now() + 1_000) }));
    expect(keepsAlive.size).toBe(0);
    const consumer = broker.consume({ queues: ["default"] });
    const next = consumer.next();
    expect(keepsAlive.size).toBe(1);
    await consumer.return();
    expect(await next).toMatchObject({ done: true });
    expect(keepsAlive.size).toBe(0);
    await broker.close();
  });

  it("runs its maintenance on demand", async () => {
    const clock = new FakeClock();
    const broker = new InMemoryBroker({ clock, sweeperInterval: 0, deadLetterRetention: 1_000, maxDeliveries: 1 });
    const consumer = broker.consume({ queues: ["default"] });
    await broker.publish(anEnvelope({ id: "lapsed", visibilityTimeout: 10 }));
    await consumer.next();
    await clock.advance(10);
    await broker.runMaintenance();
    expect((await broker.getDeadLetter("default", "lapsed"))?.reason).toBe("max-deliveries-exceeded");
    await clock.advance(1_000);
    await broker.runMaintenance();
    expect(await broker.getDeadLetter("default", "lapsed")).toBeNull();
    await broker.close();
  });
});
