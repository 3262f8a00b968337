import { checkInteger, mergeOptions } from "./options.ts";

/** Which part of a list to give. */
export interface PageOptions {
  /** Most entries; 0 gives an empty page, 10,000 is the most. @defaultValue `50` */
  readonly limit?: number;
  /** Entries to leave out at the start. @defaultValue `0` */
  readonly offset?: number;
}

/** Bounds of every `limit`. */
export const LIMIT_BOUNDS = { min: 0, max: 10_000 } as const;
const OFFSET_BOUNDS = { min: 0, max: Number.MAX_SAFE_INTEGER - LIMIT_BOUNDS.max } as const;
const DEFAULTS: Required<PageOptions> = { limit: 50, offset: 0 };

/** Fills in the defaults; throws `InvalidOptionError` for what is no count. */
export function resolvePage(options: PageOptions | undefined): Required<PageOptions> {
  const { limit, offset } = mergeOptions(DEFAULTS, options);
  return { limit: checkInteger("limit", limit, LIMIT_BOUNDS), offset: checkInteger("offset", offset, OFFSET_BOUNDS) };
}
