// What `stem-sqlite/testing` exports, whatever the runtime.
import { MAX_DURATION_MS } from "../../src/core/duration.ts";
import type {
  OpenTestStores,
  TestQueueOptions,
  TestStorePorts,
  TestStores,
} from "../../src/testing/test-queue-options.ts";
import { createTestQueue, type TestQueue } from "../../src/testing/test-queue.ts";
import { InMemoryBroker, InMemoryResultBackend, InMemoryRevokeStore } from "../memory/index.ts";
import { SqliteBroker } from "../sqlite/sqlite-broker.ts";
import { SqliteResultBackend } from "../sqlite/sqlite-result-backend.ts";
import { SqliteRevokeStore } from "../sqlite/sqlite-revoke-store.ts";
import { memoryStorage } from "../storage/memory.ts";

export * from "../../src/testing/index.ts";
export { type ReplayEnd, replayHistory, type RunHistory } from "../../src/workflow/replay-history.ts";

/** Nothing goes by itself, however far a test moves the clock: neither results nor dead letters. */
const KEEP_BROKER = { sweeperInterval: 0, deadLetterRetention: 0 };
const KEEP_RESULTS = {
  defaultTtl: MAX_DURATION_MS,
  groupDefaultTtl: MAX_DURATION_MS,
  heartbeatTtl: MAX_DURATION_MS,
  cleanupInterval: 0,
};
/** The owner hears of everything that happens; looking without a reason would only cost time when the clock is moved. */
const POLL = { pollInterval: 86_400_000 };

/**
 * Opens a queue for one test: stores that are new and gone afterwards, a producer, and a worker. See {@link TestQueue}.
 * Throws `InvalidOptionError` or `InvalidNameError` for a bad option.
 */
export function openTestQueue(options: TestQueueOptions): Promise<TestQueue> {
  return createTestQueue(openStores, options);
}

const openStores: OpenTestStores = async (store, ports) =>
  store === "memory" ? openInMemory(ports) : openSqlite(ports);

function openInMemory({ clock, logger }: TestStorePorts): TestStores {
  return {
    broker: new InMemoryBroker({ ...KEEP_BROKER, clock, logger }),
    backend: new InMemoryResultBackend({ ...KEEP_RESULTS, clock, logger }),
    revokeStore: new InMemoryRevokeStore(),
  };
}

/** All in one database, so that the end of a task is one transaction. */
async function openSqlite({ clock, randomness, logger }: TestStorePorts): Promise<TestStores> {
  const file = "test.sqlite";
  const connection = { clock, randomness, logger, storage: memoryStorage(), engine: "inline" } as const;
  const broker = await SqliteBroker.open(file, { ...KEEP_BROKER, ...POLL, ...connection });
  const backend = await SqliteResultBackend.open(file, { ...KEEP_RESULTS, ...connection });
  const revokeStore = await SqliteRevokeStore.open(file, connection);
  return { broker, backend, revokeStore };
}
