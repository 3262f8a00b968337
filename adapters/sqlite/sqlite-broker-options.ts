import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES, HARD_MAX_PAYLOAD_BYTES } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkInteger, mergeOptions } from "../../src/core/options.ts";
import type { ConnectionOptions } from "./connection-options.ts";

/** Tuning for `SqliteBroker`. Every field is optional. */
export interface SqliteBrokerOptions extends ConnectionOptions {
  /**
   * Scope of every row: two namespaces in one file see nothing of each other.
   *
   * @defaultValue `"stem"`
   */
  readonly namespace?: string;
  /**
   * Lease given to a delivery, unless its message asks for another. After it the message goes to somebody else, so it
   * has to be longer than the longest time without a renewal; a worker renews at a third of it.
   *
   * @defaultValue `30_000`
   */
  readonly defaultVisibilityTimeout?: Milliseconds;
  /**
   * How often the queue is looked at without any reason. Messages and due times wake consumers by themselves; this is
   * the safety net. While it finds nothing the pause doubles, up to 16 times this.
   *
   * @defaultValue `250`
   */
  readonly pollInterval?: Milliseconds;
  /**
   * How often dead letters past their retention are deleted; 0 never does.
   *
   * @defaultValue `10_000`
   */
  readonly sweeperInterval?: Milliseconds;
  /**
   * How long dead letters are kept; 0 keeps them for ever.
   *
   * @defaultValue `604_800_000`
   */
  readonly deadLetterRetention?: Milliseconds;
  /**
   * How often one attempt of a message may be delivered before it is a dead letter with reason
   * `max-deliveries-exceeded`: the end of a message that kills its workers.
   *
   * @defaultValue `5`
   */
  readonly maxDeliveries?: number;
  /**
   * Limit for the `args`, and for the `meta`, of a message, in bytes of JSON; up to 64 MiB.
   *
   * @defaultValue `1_048_576`
   */
  readonly maxPayloadBytes?: number;
}

/** The broker's own options with every default filled in. */
export type ResolvedSqliteBrokerOptions = Readonly<Required<Omit<SqliteBrokerOptions, keyof ConnectionOptions>>>;

const DEFAULTS: ResolvedSqliteBrokerOptions = {
  namespace: "stem",
  defaultVisibilityTimeout: 30_000,
  pollInterval: 250,
  sweeperInterval: 10_000,
  deadLetterRetention: 604_800_000,
  maxDeliveries: 5,
  maxPayloadBytes: DEFAULT_MAX_PAYLOAD_BYTES,
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveSqliteBrokerOptions(
  options: Omit<SqliteBrokerOptions, keyof ConnectionOptions>,
): ResolvedSqliteBrokerOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  checkDuration("defaultVisibilityTimeout", merged.defaultVisibilityTimeout, { min: 1 });
  checkDuration("pollInterval", merged.pollInterval, { min: 1 });
  checkDuration("sweeperInterval", merged.sweeperInterval);
  checkDuration("deadLetterRetention", merged.deadLetterRetention);
  checkInteger("maxDeliveries", merged.maxDeliveries, { min: 1, max: 1_000_000 });
  checkInteger("maxPayloadBytes", merged.maxPayloadBytes, { min: 1, max: HARD_MAX_PAYLOAD_BYTES });
  return Object.freeze(merged);
}
