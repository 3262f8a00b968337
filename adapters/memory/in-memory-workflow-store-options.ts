import type { Clock } from "../../src/contracts/clock.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES, HARD_MAX_PAYLOAD_BYTES } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkInteger, mergeOptions } from "../../src/core/options.ts";
import { consoleLogger } from "../../src/ports/console-logger.ts";
import { createSystemClock } from "../../src/ports/system-clock.ts";
import { checkMethods } from "./check-port.ts";
import type { InMemoryWorkflowData } from "./in-memory-workflow-data.ts";

/** Tuning for `InMemoryWorkflowStore`. Every field is optional. */
export interface InMemoryWorkflowStoreOptions {
  /** Separates the runs of several users of one store. @defaultValue `"stem"` */
  readonly namespace?: string;
  /** How long a run is kept after its end unless it says so itself. @defaultValue `604_800_000` (7 days) */
  readonly defaultRunTtl?: Milliseconds;
  /** How long an event is kept whose emit does not say. @defaultValue `604_800_000` (7 days) */
  readonly eventTtl?: Milliseconds;
  /** Time between two removals of what is past its time; 0 turns them off. @defaultValue `60_000` */
  readonly cleanupInterval?: Milliseconds;
  /** Limit for each value, in bytes of JSON. @defaultValue `1_048_576` */
  readonly maxPayloadBytes?: number;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
  /** @defaultValue warnings and errors to the console */
  readonly logger?: Logger;
  /** Where the runs are kept; handles that share it must share a clock. @defaultValue a new store */
  readonly store?: InMemoryWorkflowData;
}

/** {@link InMemoryWorkflowStoreOptions} with every default filled in. */
export interface ResolvedInMemoryWorkflowStoreOptions extends Required<Omit<InMemoryWorkflowStoreOptions, "store">> {
  readonly store: InMemoryWorkflowData | undefined;
}

const DEFAULTS: ResolvedInMemoryWorkflowStoreOptions = {
  namespace: "stem",
  defaultRunTtl: 604_800_000,
  eventTtl: 604_800_000,
  cleanupInterval: 60_000,
  maxPayloadBytes: DEFAULT_MAX_PAYLOAD_BYTES,
  clock: createSystemClock(),
  logger: consoleLogger,
  store: undefined,
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveInMemoryWorkflowStoreOptions(
  options?: InMemoryWorkflowStoreOptions,
): ResolvedInMemoryWorkflowStoreOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  checkDuration("defaultRunTtl", merged.defaultRunTtl);
  checkDuration("eventTtl", merged.eventTtl);
  checkDuration("cleanupInterval", merged.cleanupInterval);
  checkInteger("maxPayloadBytes", merged.maxPayloadBytes, { min: 1, max: HARD_MAX_PAYLOAD_BYTES });
  checkMethods("clock", merged.clock, ["now", "monotonic", "schedule"]);
  checkMethods("logger", merged.logger, ["log"]);
  if (merged.store !== undefined) checkMethods("store", merged.store, ["namespace"]);
  return Object.freeze(merged);
}
