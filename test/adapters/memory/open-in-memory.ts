import { InMemoryBroker, inMemoryBrokerStore } from "../../../adapters/memory/index.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { BrokerFixture } from "../../contract/broker/index.ts";

/** Broker handles on one shared store and one clock. */
export function openInMemoryBrokers(): BrokerFixture {
  const clock = new FakeClock();
  const store = inMemoryBrokerStore();
  const opened: InMemoryBroker[] = [];
  return {
    clock,
    async open(options) {
      const broker = new InMemoryBroker({ ...options, clock, store });
      opened.push(broker);
      return broker;
    },
    async close() {
      for (const broker of opened) await broker.close();
    },
  };
}
