import {
  DatabaseCorruptError,
  EngineError,
  StemError,
  StorageFullError,
  StorageIoError,
  StorageReadOnlyError,
} from "../../../src/errors.ts";
import { SQLITE } from "./result-codes.ts";

/** A row broke a unique index or a check; callers that expect it ask {@link isConstraintError}. */
export class ConstraintError extends EngineError {}

export function isConstraintError(error: unknown): error is ConstraintError {
  return error instanceof ConstraintError;
}

/** The result codes that a storage fault turns into. */
const STORAGE_CODES: ReadonlySet<number> = new Set([SQLITE.FULL, SQLITE.IOERR, SQLITE.CANTOPEN]);

/**
 * The one place where SQLite's result codes become typed errors. A storage fault caught by the VFS says more than the
 * code it turned into, so it is what the caller gets; with any other code it is an old one, of a checkpoint that may
 * fail without harm.
 */
export function toStemError(code: number, message: string, path: string, storageFault: unknown): StemError {
  const fault = STORAGE_CODES.has(code & 0xff) ? storageFault : undefined;
  if (fault instanceof StemError) return fault;
  switch (code & 0xff) {
    case SQLITE.FULL:
      return new StorageFullError(path, fault);
    case SQLITE.IOERR:
    case SQLITE.CANTOPEN:
      return new StorageIoError(message, path, `SQLite result code ${code}`, fault);
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return new DatabaseCorruptError(path, message, fault);
    case SQLITE.READONLY:
      return new StorageReadOnlyError(path, "write access", fault);
    case SQLITE.CONSTRAINT:
      return new ConstraintError(message);
    default:
      return new EngineError(`${message} (result code ${code})`, {
        retryable: (code & 0xff) === SQLITE.NOMEM,
        ...(fault === undefined ? {} : { cause: fault }),
      });
  }
}
