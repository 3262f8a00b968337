import type { Platform } from "../../src/contracts/platform.ts";
import { UnsupportedEnvironmentError } from "../../src/errors.ts";

let installed: Platform | undefined;

/** Called once by the package's entry for this runtime. */
export function installPlatform(platform: Platform): void {
  installed = platform;
}

/** The runtime's platform; throws when the SQLite room was imported around the package's entry. */
export function currentPlatform(): Platform {
  if (installed === undefined) throw new UnsupportedEnvironmentError("a platform: import from the package's own entry");
  return installed;
}
