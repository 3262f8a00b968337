import { StemError, StorageFullError, StorageIoError } from "../../../src/errors.ts";

/** The platform's own name for what went wrong, such as `NotFoundError`. */
export function webErrorName(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}

/** Turns what a storage call threw into the typed error for it; typed errors pass unchanged. */
export function webStorageFailure(call: string, path: string, error: unknown): StemError {
  if (error instanceof StemError) return error;
  const name = webErrorName(error);
  if (name === "QuotaExceededError") return new StorageFullError(path, error);
  return new StorageIoError(call, path, name, error);
}
