import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES, HARD_MAX_PAYLOAD_BYTES } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkInteger, mergeOptions } from "../../src/core/options.ts";
import type { ConnectionOptions } from "./connection-options.ts";

/** Tuning for `SqliteResultBackend`. Every field is optional. */
export interface SqliteResultBackendOptions extends ConnectionOptions {
  /**
   * Scope of every row: two namespaces in one file see nothing of each other.
   *
   * @defaultValue `"stem"`
   */
  readonly namespace?: string;
  /**
   * Time to live of a status whose write names none. Who asks for a result later than that finds nothing.
   *
   * @defaultValue `86_400_000`
   */
  readonly defaultTtl?: Milliseconds;
  /**
   * Time to live of a group whose descriptor names none. It has to be longer than the group takes: results that come
   * later are not counted any more.
   *
   * @defaultValue `86_400_000`
   */
  readonly groupDefaultTtl?: Milliseconds;
  /**
   * Time after its last heartbeat at which a worker counts as gone. It has to be longer than the worker's own interval.
   *
   * @defaultValue `60_000`
   */
  readonly heartbeatTtl?: Milliseconds;
  /**
   * How often expired rows are deleted; 0 never does. They are gone for every read in any case: this is about the size
   * of the file.
   *
   * @defaultValue `60_000`
   */
  readonly cleanupInterval?: Milliseconds;
  /**
   * Limit for the payload, the error and the `meta` of a status, each, in bytes of JSON; up to 64 MiB.
   *
   * @defaultValue `1_048_576`
   */
  readonly maxPayloadBytes?: number;
}

/** The backend's own options with every default filled in. */
export type ResolvedSqliteResultBackendOptions = Readonly<
  Required<Omit<SqliteResultBackendOptions, keyof ConnectionOptions>>
>;

const DEFAULTS: ResolvedSqliteResultBackendOptions = {
  namespace: "stem",
  defaultTtl: 86_400_000,
  groupDefaultTtl: 86_400_000,
  heartbeatTtl: 60_000,
  cleanupInterval: 60_000,
  maxPayloadBytes: DEFAULT_MAX_PAYLOAD_BYTES,
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveSqliteResultBackendOptions(
  options: Omit<SqliteResultBackendOptions, keyof ConnectionOptions>,
): ResolvedSqliteResultBackendOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  checkDuration("defaultTtl", merged.defaultTtl, { min: 1 });
  checkDuration("groupDefaultTtl", merged.groupDefaultTtl, { min: 1 });
  checkDuration("heartbeatTtl", merged.heartbeatTtl, { min: 1 });
  checkDuration("cleanupInterval", merged.cleanupInterval);
  checkInteger("maxPayloadBytes", merged.maxPayloadBytes, { min: 1, max: HARD_MAX_PAYLOAD_BYTES });
  return Object.freeze(merged);
}
