import type { Clock } from "../../src/contracts/clock.ts";
import type { Randomness } from "../../src/contracts/identity.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import type { SqlEngine } from "../../src/contracts/sql-engine.ts";
import type { StorageDriver } from "../../src/contracts/storage-driver.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { checkOneOf, mergeOptions } from "../../src/core/options.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { consoleLogger } from "../../src/ports/console-logger.ts";
import { createSystemClock } from "../../src/ports/system-clock.ts";
import { systemRandomness } from "../../src/ports/system-randomness.ts";
import type { Durability } from "./durability.ts";

/** How a store reaches its database; the same for broker, result backend and revoke store. */
export interface ConnectionOptions {
  /**
   * Where the bytes live. Pass a driver to keep a database elsewhere than the platform would.
   *
   * @defaultValue files on Node; in a browser its files, or IndexedDB where those do not work
   */
  readonly storage?: StorageDriver;
  /**
   * Where the engine runs. A `thread` keeps a busy handler from delaying everybody; `inline` is for bundled programs
   * that cannot start one, and for tests with a clock of their own. `auto`: a thread (in a browser, a worker) for what is stored, inline for memory.
   *
   * @defaultValue `"auto"`
   */
  readonly engine?: "auto" | "thread" | "inline";
  /**
   * Another build of SQLite, such as `sqlJsEngine` of `stem-sqlite/sqljs`. It runs in this thread.
   *
   * @defaultValue the package's own
   */
  readonly sqlEngine?: SqlEngine;
  /**
   * `full`: acknowledged means safe from a power cut. `relaxed`: a power cut may take the last acknowledged
   * operations with it, in exchange for speed; the end of the process never does.
   *
   * @defaultValue `"full"`
   */
  readonly durability?: Durability;
  /**
   * How long the process that owns the database may be silent while it owes an answer; then calls that wait for it
   * get an `OwnerUnresponsiveError`. Its place is not taken: it may only be paused.
   *
   * @defaultValue `10_000`
   */
  readonly ownerTimeout?: Milliseconds;
  /**
   * How long the engine's thread may be silent while it owns the database; then it counts as hung, and another one is
   * started in its place. Pings are counted rather than time: a machine that slept, and a page that was hidden, lose
   * nothing. Raise it to stop at breakpoints in the engine's thread. `Infinity` waits for ever.
   *
   * @defaultValue `5_000` in a browser, `60_000` elsewhere, where a disk may take long
   */
  readonly engineTimeout?: Milliseconds;
  /** The owner's clock. It needs an inline engine when given. @defaultValue the system's */
  readonly clock?: Clock;
  /** @defaultValue the system's */
  readonly randomness?: Randomness;
  /** Gets what cannot be returned to a caller. @defaultValue warnings and errors to the console */
  readonly logger?: Logger;
}

/** {@link ConnectionOptions} with defaults filled in; `customClock` tells that the caller brought a clock. */
export interface ResolvedConnectionOptions {
  readonly storage: StorageDriver | undefined;
  readonly engine: "auto" | "thread" | "inline";
  readonly sqlEngine: SqlEngine | undefined;
  readonly durability: Durability;
  readonly ownerTimeout: Milliseconds;
  /** The platform's own when `undefined`. */
  readonly engineTimeout: Milliseconds | undefined;
  readonly clock: Clock;
  readonly customClock: boolean;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

const DEFAULTS = {
  storage: undefined as StorageDriver | undefined,
  engine: "auto" as "auto" | "thread" | "inline",
  sqlEngine: undefined as SqlEngine | undefined,
  durability: "full" as Durability,
  ownerTimeout: 10_000,
  engineTimeout: undefined as Milliseconds | undefined,
  clock: undefined as Clock | undefined,
  randomness: systemRandomness,
  logger: consoleLogger,
};

/** Takes the connection options out of a store's options; the rest is the store's own to check. */
export function splitConnectionOptions<T extends ConnectionOptions>(
  options: T | undefined,
): Readonly<{ connection: ResolvedConnectionOptions; own: Omit<T, keyof ConnectionOptions> }> {
  if (options !== undefined && (options === null || typeof options !== "object" || Array.isArray(options))) {
    throw new InvalidOptionError("options", options, "an object");
  }
  const entries = Object.entries(options ?? {});
  const isOurs = ([name]: readonly [string, unknown]): boolean => Object.hasOwn(DEFAULTS, name);
  // Not by assignment: a key such as `__proto__` is an unknown option like any other.
  const own: object = Object.fromEntries(entries.filter((entry) => !isOurs(entry)));
  return {
    connection: resolve(Object.fromEntries(entries.filter(isOurs))),
    own: own as Omit<T, keyof ConnectionOptions>,
  };
}

function resolve(given: Partial<typeof DEFAULTS>): ResolvedConnectionOptions {
  const merged = mergeOptions(DEFAULTS, given);
  checkOneOf("engine", merged.engine, ["auto", "thread", "inline"]);
  checkOneOf("durability", merged.durability, ["full", "relaxed"]);
  checkDuration("ownerTimeout", merged.ownerTimeout, { min: 1 });
  const { engineTimeout } = merged;
  if (engineTimeout !== undefined && engineTimeout !== Number.POSITIVE_INFINITY) {
    checkDuration("engineTimeout", engineTimeout, { min: 1 });
  }
  checkMethods("storage", merged.storage, ["identify", "acquire"]);
  checkDriverFacts(merged.storage);
  checkMethods("sqlEngine", merged.sqlEngine, ["prepare", "open"]);
  if (merged.sqlEngine !== undefined && merged.engine === "thread") {
    throw new InvalidOptionError("engine", merged.engine, '"inline" or "auto": a sqlEngine runs in this thread');
  }
  checkMethods("clock", merged.clock, ["now", "monotonic", "schedule"]);
  checkMethods("randomness", merged.randomness, ["number", "fill"]);
  checkMethods("logger", merged.logger, ["log"]);
  const customClock = merged.clock !== undefined;
  return Object.freeze({ ...merged, clock: merged.clock ?? createSystemClock(), customClock });
}

function checkDriverFacts(storage: StorageDriver | undefined): void {
  if (storage === undefined) return;
  const { name, capabilities } = storage as Readonly<Record<keyof StorageDriver, unknown>>;
  if (typeof name !== "string" || typeof capabilities !== "object" || capabilities === null) {
    throw new InvalidOptionError("storage", storage, "a storage driver with a name and capabilities");
  }
}

function checkMethods(option: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return;
  const found = value as Record<string, unknown> | null;
  if (typeof found !== "object" || found === null || methods.some((name) => typeof found[name] !== "function")) {
    throw new InvalidOptionError(option, value, `an object with the methods ${methods.join(", ")}`);
  }
}
