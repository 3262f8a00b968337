import { checkName } from "../../src/core/names.ts";
import { mergeOptions } from "../../src/core/options.ts";
import { checkMethods } from "./check-port.ts";
import type { InMemoryRevokeEntries } from "./in-memory-revoke-entries.ts";

/** Tuning for `InMemoryRevokeStore`. Every field is optional. */
export interface InMemoryRevokeStoreOptions {
  /** Namespace of stored entries whose own is blank. @defaultValue `"stem"` */
  readonly namespace?: string;
  /** Where the entries are kept. @defaultValue a new store */
  readonly store?: InMemoryRevokeEntries;
}

/** {@link InMemoryRevokeStoreOptions} with every default filled in. */
export interface ResolvedInMemoryRevokeStoreOptions {
  readonly namespace: string;
  readonly store: InMemoryRevokeEntries | undefined;
}

const DEFAULTS: ResolvedInMemoryRevokeStoreOptions = { namespace: "stem", store: undefined };

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveInMemoryRevokeStoreOptions(
  options?: InMemoryRevokeStoreOptions,
): ResolvedInMemoryRevokeStoreOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  if (merged.store !== undefined) checkMethods("store", merged.store, ["offer", "get", "list", "remove"]);
  return Object.freeze(merged);
}
