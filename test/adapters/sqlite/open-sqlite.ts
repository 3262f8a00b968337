import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteBroker } from "../../../adapters/entry/node.ts";
import { nodePlatform } from "../../../adapters/entry/node-platform.ts";
import { installPlatform } from "../../../adapters/sqlite/platform.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { SqlEngine } from "../../../src/contracts/sql-engine.ts";
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
  readonly sqlEngine?: SqlEngine;
  /** Another context's driver on the same databases: what it opens first, it owns. */
  readonly owner?: StorageDriver;
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

/** The same driver in another context: what is opened through it shares nothing but the bytes and the lock. */
export function inAnotherContext(driver: StorageDriver): StorageDriver {
  return { ...driver, capabilities: { ...driver.capabilities, exclusiveAcrossContexts: false } };
}

/** The place, seen by members of an owner in another context. */
export function asMember(place: () => SqlitePlace): () => SqlitePlace {
  return () => {
    const owned = place();
    return { ...owned, storage: inAnotherContext(owned.storage), owner: inAnotherContext(owned.storage) };
  };
}

/** Settings that make the engine obey a test's clock. The poll is long, so that nothing passes by polling only. */
export function onClock(clock: FakeClock, storage: StorageDriver, engine: "inline" | "thread" = "inline") {
  return { clock, storage, engine, logger: silentLogger } as const;
}

/** {@link onClock} of a place. */
export function inPlace({ clock, storage, engine, sqlEngine }: SqlitePlace) {
  return { ...onClock(clock, storage, engine), ...(sqlEngine === undefined ? {} : { sqlEngine }) };
}

export const POLL_INTERVAL = 3_600_000;

/** Brokers on one database in `place`, all on one fake clock. */
export function openSqliteBrokers(place: () => SqlitePlace): () => BrokerFixture {
  return () => {
    const opened = place();
    const { clock, engine, owner, remove } = opened;
    const brokers: SqliteBroker[] = [];
    let owning: Promise<SqliteBroker> | undefined;
    return {
      clock,
      async open(options) {
        if (owner !== undefined) {
          const passive = { ...onClock(clock, owner, engine), sweeperInterval: 0 };
          await (owning ??= SqliteBroker.open("jobs.sqlite", passive));
        }
        const broker = await SqliteBroker.open("jobs.sqlite", {
          ...inPlace(opened),
          pollInterval: POLL_INTERVAL,
          ...options,
        });
        brokers.push(broker);
        return broker;
      },
      async close() {
        for (const broker of brokers) await broker.close();
        await (await owning)?.close();
        remove();
      },
    };
  };
}
