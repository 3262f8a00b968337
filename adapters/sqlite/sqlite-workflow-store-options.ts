import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES, HARD_MAX_PAYLOAD_BYTES } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkInteger, mergeOptions } from "../../src/core/options.ts";
import type { ConnectionOptions } from "./connection-options.ts";

/** Tuning for `SqliteWorkflowStore`. Every field is optional. */
export interface SqliteWorkflowStoreOptions extends ConnectionOptions {
  /**
   * Scope of every row: two namespaces in one file see nothing of each other.
   *
   * @defaultValue `"stem"`
   */
  readonly namespace?: string;
  /**
   * How long a run is kept after its end, with its checkpoints, unless it says so itself.
   *
   * @defaultValue `604_800_000`
   */
  readonly defaultRunTtl?: Milliseconds;
  /**
   * How long an event is kept for runs that come to wait for it, unless its emit says so.
   *
   * @defaultValue `604_800_000`
   */
  readonly eventTtl?: Milliseconds;
  /**
   * How often runs and events past their time are deleted; 0 never does.
   *
   * @defaultValue `60_000`
   */
  readonly cleanupInterval?: Milliseconds;
  /**
   * Limit for each parameter object, result, checkpoint, payload and error, in bytes of JSON; up to 64 MiB.
   *
   * @defaultValue `1_048_576`
   */
  readonly maxPayloadBytes?: number;
}

/** The store's own options with every default filled in. */
export type ResolvedSqliteWorkflowStoreOptions = Readonly<
  Required<Omit<SqliteWorkflowStoreOptions, keyof ConnectionOptions>>
>;

const DEFAULTS: ResolvedSqliteWorkflowStoreOptions = {
  namespace: "stem",
  defaultRunTtl: 604_800_000,
  eventTtl: 604_800_000,
  cleanupInterval: 60_000,
  maxPayloadBytes: DEFAULT_MAX_PAYLOAD_BYTES,
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveSqliteWorkflowStoreOptions(
  options: Omit<SqliteWorkflowStoreOptions, keyof ConnectionOptions>,
): ResolvedSqliteWorkflowStoreOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  checkDuration("defaultRunTtl", merged.defaultRunTtl);
  checkDuration("eventTtl", merged.eventTtl);
  checkDuration("cleanupInterval", merged.cleanupInterval);
  checkInteger("maxPayloadBytes", merged.maxPayloadBytes, { min: 1, max: HARD_MAX_PAYLOAD_BYTES });
  return Object.freeze(merged);
}
