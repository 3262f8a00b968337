import type { IsolatedFunction } from "../contracts/task-handler.ts";
import { checkInteger } from "../core/options.ts";
import { InvalidOptionError } from "../errors.ts";

/** Less than this does not hold a thread and its first module. */
const MIN_MEMORY_MB = 16;
const MAX_MEMORY_MB = 1_048_576;
const PROTOCOLS: ReadonlySet<string> = new Set(["file:", "data:", "blob:", "http:", "https:"]);

/** Returns `isolated` after checking every field; throws `InvalidOptionError`. */
export function checkIsolated(isolated: IsolatedFunction): IsolatedFunction {
  if (isolated === null || typeof isolated !== "object") {
    throw new InvalidOptionError("isolated", isolated, "an object with module and exportName");
  }
  const { module, exportName, maxMemoryMb } = isolated;
  moduleUrl(module);
  if (typeof exportName !== "string" || exportName === "") {
    throw new InvalidOptionError("exportName", exportName, "the name of an export");
  }
  if (maxMemoryMb !== undefined) checkInteger("maxMemoryMb", maxMemoryMb, { min: MIN_MEMORY_MB, max: MAX_MEMORY_MB });
  return isolated;
}

/** The absolute URL of a module; throws `InvalidOptionError` for anything else, a path too. */
export function moduleUrl(module: unknown): string {
  const allowed = 'an absolute URL of a module, such as new URL("./work.js", import.meta.url)';
  if (!(module instanceof URL) && typeof module !== "string") throw new InvalidOptionError("module", module, allowed);
  let url: URL;
  try {
    url = new URL(module);
  } catch {
    throw new InvalidOptionError("module", module, allowed);
  }
  // A path that begins with a drive's letter parses as a URL.
  if (!PROTOCOLS.has(url.protocol)) throw new InvalidOptionError("module", String(module), allowed);
  return url.href;
}
