import type { OriginStorage } from "../../src/contracts/database-health.ts";
import { UnsupportedEnvironmentError } from "../../src/errors.ts";

/** `navigator.storage`, any part of which may be missing: in insecure pages, in workers, outside of browsers. */
type StorageOfOrigin = Partial<Pick<StorageManager, "estimate" | "persisted">> & {
  readonly persist?: () => Promise<boolean>;
};

const storageOfOrigin = (): StorageOfOrigin =>
  (globalThis as { navigator?: { storage?: StorageOfOrigin } }).navigator?.storage ?? {};

/** What this browser says of the origin's storage; what it does not tell is left out. */
export async function originStorage(): Promise<OriginStorage> {
  const storage = storageOfOrigin();
  // An origin that may store nothing, as a sandboxed frame's, gets an error instead of figures.
  const [estimate, persisted] = await Promise.all([
    storage.estimate?.().catch(() => undefined),
    storage.persisted?.().catch(() => undefined),
  ]);
  return {
    ...(estimate?.usage === undefined ? {} : { usage: estimate.usage }),
    ...(estimate?.quota === undefined ? {} : { quota: estimate.quota }),
    ...(persisted === undefined ? {} : { persisted }),
  };
}

/**
 * Asks the browser not to delete what this origin stores, unless the user wants it; says whether it agreed. Browsers
 * agree for sites that are in use a lot, or ask the user. Throws `UnsupportedEnvironmentError` outside of windows.
 */
export async function requestPersistence(): Promise<boolean> {
  const storage = storageOfOrigin();
  if (typeof storage.persist !== "function") {
    throw new UnsupportedEnvironmentError("navigator.storage.persist, which only windows of secure pages have");
  }
  return storage.persist();
}
