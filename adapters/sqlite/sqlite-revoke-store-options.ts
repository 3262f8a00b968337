import { checkName } from "../../src/core/names.ts";
import { mergeOptions } from "../../src/core/options.ts";
import type { ConnectionOptions } from "./connection-options.ts";

/** Tuning for `SqliteRevokeStore`. Every field is optional. */
export interface SqliteRevokeStoreOptions extends ConnectionOptions {
  /**
   * Where entries go that name no namespace, which the types ask of them. Reads name theirs.
   *
   * @defaultValue `"stem"`
   */
  readonly namespace?: string;
}

/** The store's own options with every default filled in. */
export type ResolvedSqliteRevokeStoreOptions = Readonly<
  Required<Omit<SqliteRevokeStoreOptions, keyof ConnectionOptions>>
>;

const DEFAULTS: ResolvedSqliteRevokeStoreOptions = { namespace: "stem" };

/** Fills in defaults and checks every field; throws `InvalidOptionError` or `InvalidNameError`. */
export function resolveSqliteRevokeStoreOptions(
  options: Omit<SqliteRevokeStoreOptions, keyof ConnectionOptions>,
): ResolvedSqliteRevokeStoreOptions {
  const merged = mergeOptions(DEFAULTS, options);
  checkName("namespace", merged.namespace);
  return Object.freeze(merged);
}
