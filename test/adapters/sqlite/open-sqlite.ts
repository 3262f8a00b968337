import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { BrokerFixture } from "../../contract/broker/index.ts";

/** Where a fixture keeps its database, and how it is removed. */
export interface SqlitePlace {
  readonly storage: StorageDriver;
  remove(): void;
}

export function inMemory(): SqlitePlace {
  return { storage: memoryStorage(), remove: () => undefined };
}

export function onFiles(): SqlitePlace {
  const directory = mkdtempSync(join(tmpdir(), "stem-sqlite-"));
  return { storage: nodeStorage({ directory }), remove: () => rmSync(directory, { recursive: true }) };
}

/** Settings that make the engine obey a test's clock. The poll is long, so that nothing passes by polling only. */
export function onClock(clock: FakeClock, storage: StorageDriver) {
  return { storage, clock, engine: "inline", logger: silentLogger } as const;
}

export const POLL_INTERVAL = 3_600_000;

/** Brokers on one database in `place`, all on one fake clock. */
export function openSqliteBrokers(place: () => SqlitePlace): () => BrokerFixture {
  return () => {
    const clock = new FakeClock();
    const { storage, remove } = place();
    const brokers: SqliteBroker[] = [];
    return {
      clock,
      async open(options) {
        const broker = await SqliteBroker.open("jobs.sqlite", {
          ...onClock(clock, storage),
          pollInterval: POLL_INTERVAL,
          ...options,
        });
        brokers.push(broker);
        return broker;
      },
      async close() {
        for (const broker of brokers) await broker.close();
        remove();
      },
    };
  };
}
