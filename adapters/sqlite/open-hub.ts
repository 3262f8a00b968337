import type { Clock } from "../../src/contracts/clock.ts";
import type { EnginePort, Platform } from "../../src/contracts/platform.ts";
import type { StorageDriver } from "../../src/contracts/storage-driver.ts";
import { InvalidOptionError, UnsupportedEnvironmentError } from "../../src/errors.ts";
import {
  type ConnectionOptions,
  type ResolvedConnectionOptions,
  splitConnectionOptions,
} from "./connection-options.ts";
import { inlineCandidacy, threadCandidacy } from "./hub/candidacy.ts";
import type { EngineOpening } from "./hub/engine-messages.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { type Candidacy, Membership } from "./hub/membership.ts";
import { randomId } from "./hub/random-id.ts";
import { currentPlatform } from "./platform.ts";

/** One store's share in an open database. */
export interface HubHandle {
  readonly hub: HubClient;
  readonly clock: Clock;
  /** Equal for two stores exactly when they share one database. */
  readonly databaseKey: string;
  /** Gives the share up; the last one closes the database. Idempotent. */
  release(): Promise<void>;
}

interface SharedHub {
  readonly opening: Promise<HubClient>;
  readonly options: ResolvedConnectionOptions;
  shares: number;
}

/** As a path it would make a folder named `sqlite:` without a word. */
const URL_OF_A_DATABASE = /^(?:sqlite|file):/i;
const hubs = new Map<string, SharedHub>();
/** Databases that are being closed: opening one again waits until it is free. */
const closings = new Map<string, Promise<unknown>>();
const driverIds = new WeakMap<StorageDriver, number>();
let lastDriverId = 0;

/**
 * Opens a database, or takes a share in it when this thread has it open already. `":memory:"` is a new database each
 * time. Throws `InvalidOptionError` when a second store asks for other durability than the first.
 */
export async function openHub(
  file: string,
  options?: ConnectionOptions | ResolvedConnectionOptions,
): Promise<HubHandle> {
  const connection =
    options !== undefined && "customClock" in options ? options : splitConnectionOptions(options).connection;
  const { driver, database, databaseKey } = locateDatabase(file, connection);
  // Without a turn in between when it is open, or others would close it meanwhile; and after a close, another may follow.
  for (let closing = closings.get(databaseKey); closing !== undefined; closing = closings.get(databaseKey))
    await closing;
  const shared = hubs.get(databaseKey) ?? open(databaseKey, driver, database, connection);
  checkSame(shared.options, connection);
  shared.shares += 1;
  const hub = await shared.opening;
  let released: Promise<void> | undefined;
  return {
    hub,
    clock: shared.options.clock,
    databaseKey,
    release: () => (released ??= giveUp(databaseKey, shared, hub)),
  };
}

/** Where a database is. */
interface DatabasePlace {
  readonly driver: StorageDriver;
  readonly database: string;
  readonly databaseKey: string;
  /** Settles once this thread has closed it; set while it does. */
  readonly closing: Promise<unknown> | undefined;
}

/** Finds where a database is, without touching it. */
export function locateDatabase(file: string, connection: ResolvedConnectionOptions): DatabasePlace {
  if (typeof file !== "string" || file.trim() === "" || file.includes("\0")) {
    throw new InvalidOptionError("file", file, "the name of a database file");
  }
  if (URL_OF_A_DATABASE.test(file)) {
    throw new InvalidOptionError("file", file, "a path; URLs are for `connect` (write ./ before such a file name)");
  }
  const driver = driverFor(file, connection);
  const database = driver.identify(file);
  const databaseKey = `${driverKey(driver)}\n${database}`;
  return { driver, database, databaseKey, closing: closings.get(databaseKey) };
}

function driverFor(file: string, { storage }: ResolvedConnectionOptions): StorageDriver {
  if (storage !== undefined) return storage;
  return file === ":memory:" ? currentPlatform().memoryStorage() : currentPlatform().defaultStorage();
}

/** Two drivers over the same bytes have the same key; memory is as many worlds as there are drivers. */
function driverKey(driver: StorageDriver): string {
  if (driver.capabilities.exclusiveAcrossContexts) return driver.name;
  let id = driverIds.get(driver);
  if (id === undefined) driverIds.set(driver, (id = ++lastDriverId));
  return `${driver.name}#${id}`;
}

function open(key: string, driver: StorageDriver, database: string, options: ResolvedConnectionOptions): SharedHub {
  const opening = connect(driver, database, options);
  const shared: SharedHub = { opening, options, shares: 0 };
  hubs.set(key, shared);
  const forget = (): void => {
    if (hubs.get(key) === shared) hubs.delete(key);
  };
  opening.then((hub) => void hub.onLost(forget), forget);
  return shared;
}

async function connect(
  driver: StorageDriver,
  database: string,
  options: ResolvedConnectionOptions,
): Promise<HubClient> {
  const { durability, logger, clock, randomness, ownerTimeout } = options;
  const platform = currentPlatform();
  const stay = await platform.enter?.();
  const context = stay?.id ?? platform.contextId ?? "";
  const opening = { database, durability, session: randomId(randomness), context };
  try {
    const candidacy = candidacyFor(platform, driver, opening, options);
    const common = { driver, candidacy, clock, randomness, logger, ownerTimeout };
    return await Membership.open({ ...opening, ...common, ...(stay === undefined ? {} : { stay }) });
  } catch (error) {
    stay?.leave();
    throw error;
  }
}

/** Where this context would run the engine; a thread is started only once there is something to own. */
function candidacyFor(
  platform: Platform,
  driver: StorageDriver,
  opening: Omit<EngineOpening, "repeatsCalls">,
  options: ResolvedConnectionOptions,
): Candidacy {
  const { sqlEngine, logger, clock, randomness } = options;
  const { repeatsCalls = false } = platform;
  const spawn = engineThreadFor(platform, driver, options);
  if (spawn !== undefined) {
    const { engineTimeout = platform.engineTimeout ?? Number.POSITIVE_INFINITY } = options;
    return threadCandidacy(spawn, { ...opening, repeatsCalls, engineTimeout, clock, logger });
  }
  const { database, durability, session, context } = opening;
  const identity = { session, context, repeatsCalls, remote: false };
  return inlineCandidacy(driver, database, identity, {
    host: platform,
    sqlEngine,
    clock,
    randomness,
    logger,
    durability,
  });
}

/** How to start the thread that an engine for this driver runs in; `undefined` when it runs in this one. */
export function engineThreadFor(
  platform: Platform,
  driver: StorageDriver,
  { engine, sqlEngine, customClock, clock }: ResolvedConnectionOptions,
): (() => Promise<EnginePort>) | undefined {
  const isInline = engine === "inline" || sqlEngine !== undefined;
  const spawn = isInline ? undefined : platform.engineThreads?.(driver, customClock ? clock : undefined);
  if (spawn === undefined && engine === "thread") {
    throw new UnsupportedEnvironmentError(`an engine thread for storage driver "${driver.name}"`);
  }
  return spawn;
}

function checkSame(first: ResolvedConnectionOptions, second: ResolvedConnectionOptions): void {
  if (first.durability !== second.durability) {
    throw new InvalidOptionError(
      "durability",
      second.durability,
      `"${first.durability}", as this database is open already`,
    );
  }
  if (second.sqlEngine !== undefined && first.sqlEngine !== second.sqlEngine) {
    throw new InvalidOptionError("sqlEngine", second.sqlEngine, "the engine this database is open with already");
  }
  if (second.customClock && first.clock !== second.clock) {
    throw new InvalidOptionError("clock", second.clock, "the clock this database is open with already");
  }
}

async function giveUp(key: string, shared: SharedHub, hub: HubClient): Promise<void> {
  shared.shares -= 1;
  if (shared.shares > 0) return;
  if (hubs.get(key) === shared) hubs.delete(key);
  const closing = hub.close();
  const settled = closing.then(
    () => undefined,
    () => undefined,
  );
  closings.set(key, settled);
  try {
    await closing;
  } finally {
    if (closings.get(key) === settled) closings.delete(key);
  }
}
