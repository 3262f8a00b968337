import {
  InMemoryBroker,
  inMemoryBrokerStore,
  InMemoryResultBackend,
  inMemoryResultStore,
  inMemoryRevokeEntries,
  InMemoryRevokeStore,
  inMemoryWorkflowData,
  InMemoryWorkflowStore,
} from "../../../adapters/memory/index.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { BrokerFixture } from "../../contract/broker/index.ts";
import type { ResultBackendFixture } from "../../contract/result-backend/index.ts";
import type { RevokeStoreFixture } from "../../contract/revoke-store/index.ts";
import type { WorkflowStoreFixture } from "../../contract/workflow-store/index.ts";

/** Keeps what was opened, to close it together. */
function closer(): { add<T extends { close(): Promise<void> }>(opened: T): T; close(): Promise<void> } {
  const all: { close(): Promise<void> }[] = [];
  return {
    add(opened) {
      all.push(opened);
      return opened;
    },
    async close() {
      for (const opened of all) await opened.close();
    },
  };
}

/** Broker handles on one shared store and one clock. */
export function openInMemoryBrokers(): BrokerFixture {
  const [clock, store, opened] = [new FakeClock(), inMemoryBrokerStore(), closer()];
  return {
    clock,
    open: async (options) => opened.add(new InMemoryBroker({ ...options, clock, store, logger: silentLogger })),
    close: () => opened.close(),
  };
}

/** Result backend handles on one shared store and one clock. */
export function openInMemoryResultBackends(): ResultBackendFixture {
  const [clock, store, opened] = [new FakeClock(), inMemoryResultStore(), closer()];
  return {
    clock,
    persistent: false,
    open: async (options) => opened.add(new InMemoryResultBackend({ ...options, clock, store })),
    close: () => opened.close(),
  };
}

/** Revoke store handles on one shared store. */
export function openInMemoryRevokeStores(): RevokeStoreFixture {
  const [clock, store, opened] = [new FakeClock(), inMemoryRevokeEntries(), closer()];
  return {
    clock,
    persistent: false,
    open: async () => opened.add(new InMemoryRevokeStore({ store })),
    close: () => opened.close(),
  };
}

/** Workflow store handles on one shared store and one clock. */
export function openInMemoryWorkflowStores(): WorkflowStoreFixture {
  const [clock, store, opened] = [new FakeClock(), inMemoryWorkflowData(), closer()];
  return {
    clock,
    persistent: false,
    open: async (options) => opened.add(new InMemoryWorkflowStore({ ...options, clock, store, logger: silentLogger })),
    close: () => opened.close(),
  };
}
