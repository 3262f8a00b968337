import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import { nodePlatform } from "../../../adapters/entry/node-platform.ts";
import { installPlatform } from "../../../adapters/sqlite/platform.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { BrokerFixture } from "../../contract/broker/index.ts";
import { ThreadedFakeClock } from "../../support/threaded-fake-clock.ts";

/** Where a fixture keeps its database, what runs it, and how it is removed. */
export interface SqlitePlace {
  readonly storage: StorageDriver;
  readonly clock: FakeClock;
  readonly engine: "inline" | "thread";
  remove(): void;
}

export function inMemory(): SqlitePlace {
  return { storage: memoryStorage(), clock: new FakeClock(), engine: "inline", remove: () => undefined };
}

export function onFiles(): SqlitePlace {
  const directory = mkdtempSync(join(tmpdir(), "stem-sqlite-"));
  const remove = (): void => rmSync(directory, { recursive: true });
  return { storage: nodeStorage({ directory }), clock: new FakeClock(), engine: "inline", remove };
}

/** Files, through an engine thread as users have it, except that its clock is the test's. */
export function inThread(): SqlitePlace {
  const clock = new ThreadedFakeClock();
  installPlatform({ ...nodePlatform, engineThreads: () => () => clock.spawn() });
  return { ...onFiles(), clock, engine: "thread" };
}

/** Settings that make the engine obey a test's clock. The poll is long, so that nothing passes by polling only. */
export function onClock(clock: FakeClock, storage: StorageDriver, engine: "inline" | "thread" = "inline") {
  return { clock, storage, engine, logger: silentLogger } as const;
}

export const POLL_INTERVAL = 3_600_000;

/** Brokers on one database in `place`, all on one fake clock. */
export function openSqliteBrokers(place: () => SqlitePlace): () => BrokerFixture {
  return () => {
    const { clock, storage, engine, remove } = place();
    const brokers: SqliteBroker[] = [];
    return {
      clock,
      async open(options) {
        const broker = await SqliteBroker.open("jobs.sqlite", {
          ...onClock(clock, storage, engine),
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
