import type { Clock } from "../../src/contracts/clock.ts";
import type { IdSource } from "../../src/contracts/identity.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES, HARD_MAX_PAYLOAD_BYTES } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkInteger, mergeOptions } from "../../src/core/options.ts";
import { consoleLogger } from "../../src/ports/console-logger.ts";
import { generateEnvelopeId } from "../../src/ports/create-envelope.ts";
import { createSystemClock } from "../../src/ports/system-clock.ts";
import { checkFunction, checkMethods } from "./check-port.ts";
import type { InMemoryBrokerStore } from "./in-memory-broker-store.ts";

/** Tuning for `InMemoryBroker`. Every field is optional. */
export interface InMemoryBrokerOptions {
  /** Separates the messages of several users of one store. @defaultValue `"stem"` */
  readonly namespace?: string;
  /** Lease of a delivery whose envelope names none. @defaultValue `30_000` */
  readonly defaultVisibilityTimeout?: Milliseconds;
  /** Time between two sweeps of old dead letters; 0 turns them off. @defaultValue `10_000` */
  readonly sweeperInterval?: Milliseconds;
  /** How long a dead letter is kept; 0 keeps it for ever. @defaultValue `604_800_000` (7 days) */
  readonly deadLetterRetention?: Milliseconds;
  /** Deliveries of one attempt after which a message goes to the dead letters instead. @defaultValue `5` */
  readonly maxDeliveries?: number;
  /** Limit for `args` and for `meta`, in bytes of JSON. @defaultValue `1_048_576` */
  readonly maxPayloadBytes?: number;
  /** @defaultValue the system's clock */
  readonly clock?: Clock;
  /** Makes consumer names. @defaultValue UUID version 7 */
  readonly ids?: IdSource;
  /** @defaultValue warnings and errors to the console */
  readonly logger?: Logger;
  /** Where the messages are kept; handles that share it must share a clock. @defaultValue a new store */
  readonly store?: InMemoryBrokerStore;
}

/** {@link InMemoryBrokerOptions} with every default filled in. */
export interface ResolvedInMemoryBrokerOptions extends Required<Omit<InMemoryBrokerOptions, "store">> {
  readonly store: InMemoryBrokerStore | undefined;
}

const DEFAULTS: ResolvedInMemoryBrokerOptions = {
  namespace: "stem",
  defaultVisibilityTimeout: 30_000,
  sweeperInterval: 10_000,
  deadLetterRetention: 604_800_000,
  maxDeliveries: 5,
  maxPayloadBytes: DEFAULT_MAX_PAYLOAD_BYTES,
  clock: createSystemClock(),
  ids: generateEnvelopeId,
  logger: consoleLogger,
  store: undefined,
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveInMemoryBrokerOptions(options?: InMemoryBrokerOptions): ResolvedInMemoryBrokerOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  checkDuration("defaultVisibilityTimeout", merged.defaultVisibilityTimeout, { min: 1 });
  checkDuration("sweeperInterval", merged.sweeperInterval);
  checkDuration("deadLetterRetention", merged.deadLetterRetention);
  checkInteger("maxDeliveries", merged.maxDeliveries, { min: 1, max: 1_000_000 });
  checkInteger("maxPayloadBytes", merged.maxPayloadBytes, { min: 1, max: HARD_MAX_PAYLOAD_BYTES });
  checkMethods("clock", merged.clock, ["now", "monotonic", "schedule"]);
  checkFunction("ids", merged.ids);
  checkMethods("logger", merged.logger, ["log"]);
  if (merged.store !== undefined) checkMethods("store", merged.store, ["namespace", "nextToken"]);
  return Object.freeze(merged);
}
