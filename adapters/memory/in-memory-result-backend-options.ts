import type { Clock } from "../../src/contracts/clock.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES, HARD_MAX_PAYLOAD_BYTES } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkInteger, mergeOptions } from "../../src/core/options.ts";
import { consoleLogger } from "../../src/ports/console-logger.ts";
import { createSystemClock } from "../../src/ports/system-clock.ts";
import { checkMethods } from "./check-port.ts";
import type { InMemoryResultStore } from "./in-memory-result-store.ts";

/** Tuning for `InMemoryResultBackend`. Every field is optional. */
export interface InMemoryResultBackendOptions {
  /** Separates the results of several users of one store. @defaultValue `"stem"` */
  readonly namespace?: string;
  /** Time to live of a status whose write names none. @defaultValue `86_400_000` (1 day) */
  readonly defaultTtl?: Milliseconds;
  /** Time to live of a group whose descriptor names none. @defaultValue `86_400_000` (1 day) */
  readonly groupDefaultTtl?: Milliseconds;
  /** Time after its last heartbeat at which a worker counts as gone. @defaultValue `60_000` */
  readonly heartbeatTtl?: Milliseconds;
  /** Time between two removals of what has expired; 0 turns them off. @defaultValue `60_000` */
  readonly cleanupInterval?: Milliseconds;
  /** Limit for each payload, error and meta, in bytes of JSON. @defaultValue `1_048_576` */
  readonly maxPayloadBytes?: number;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
  /** @defaultValue warnings and errors to the console */
  readonly logger?: Logger;
  /** Where the results are kept; handles that share it must share a clock. @defaultValue a new store */
  readonly store?: InMemoryResultStore;
}

/** {@link InMemoryResultBackendOptions} with every default filled in. */
export interface ResolvedInMemoryResultBackendOptions extends Required<Omit<InMemoryResultBackendOptions, "store">> {
  readonly store: InMemoryResultStore | undefined;
}

const DEFAULTS: ResolvedInMemoryResultBackendOptions = {
  namespace: "stem",
  defaultTtl: 86_400_000,
  groupDefaultTtl: 86_400_000,
  heartbeatTtl: 60_000,
  cleanupInterval: 60_000,
  maxPayloadBytes: DEFAULT_MAX_PAYLOAD_BYTES,
  clock: createSystemClock(),
  logger: consoleLogger,
  store: undefined,
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveInMemoryResultBackendOptions(
  options?: InMemoryResultBackendOptions,
): ResolvedInMemoryResultBackendOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  checkDuration("defaultTtl", merged.defaultTtl, { min: 1 });
  checkDuration("groupDefaultTtl", merged.groupDefaultTtl, { min: 1 });
  checkDuration("heartbeatTtl", merged.heartbeatTtl, { min: 1 });
  checkDuration("cleanupInterval", merged.cleanupInterval);
  checkInteger("maxPayloadBytes", merged.maxPayloadBytes, { min: 1, max: HARD_MAX_PAYLOAD_BYTES });
  checkMethods("clock", merged.clock, ["now", "monotonic", "schedule"]);
  checkMethods("logger", merged.logger, ["log"]);
  if (merged.store !== undefined) checkMethods("store", merged.store, ["namespace"]);
  return Object.freeze(merged);
}
