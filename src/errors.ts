/** Stable identifiers of every error this library throws on purpose. */
export type StemErrorCode =
  | "STEM_INVALID_OPTION"
  | "STEM_INVALID_NAME"
  | "STEM_PAYLOAD_NOT_SERIALIZABLE"
  | "STEM_PAYLOAD_TOO_LARGE"
  | "STEM_MALFORMED_ENVELOPE"
  | "STEM_DUPLICATE_ID"
  | "STEM_DUPLICATE_TASK"
  | "STEM_UNKNOWN_TASK"
  | "STEM_MISSING_BACKEND"
  | "STEM_LEASE_LOST"
  | "STEM_TASK_REVOKED"
  | "STEM_TASK_FAILED"
  | "STEM_TIMEOUT"
  | "STEM_CLOSED"
  | "STEM_OUTCOME_UNKNOWN"
  | "STEM_STORAGE_FULL"
  | "STEM_STORAGE_IO"
  | "STEM_STORAGE_READ_ONLY"
  | "STEM_DATABASE_BUSY"
  | "STEM_DATABASE_CORRUPT"
  | "STEM_DATABASE_REPLACED"
  | "STEM_STORAGE_EVICTED"
  | "STEM_OWNERSHIP_LOST"
  | "STEM_DATABASE_EXISTS"
  | "STEM_NOT_A_QUEUE_DATABASE"
  | "STEM_SCHEMA_TOO_NEW"
  | "STEM_SCHEMA_TAMPERED"
  | "STEM_MULTIPLE_LINKS"
  | "STEM_UNSUPPORTED_ENVIRONMENT"
  | "STEM_OWNER_UNRESPONSIVE"
  | "STEM_VERSION_MISMATCH"
  | "STEM_ISOLATE"
  | "STEM_NOT_DRAINED"
  | "STEM_DUPLICATE_RUN"
  | "STEM_DUPLICATE_WORKFLOW"
  | "STEM_UNKNOWN_WORKFLOW"
  | "STEM_UNKNOWN_RUN"
  | "STEM_RUN_LEASE_LOST"
  | "STEM_NONDETERMINISM"
  | "STEM_STEP_FAILED"
  | "STEM_WORKFLOW_FAILED"
  | "STEM_WORKFLOW_CANCELLED"
  | "STEM_QUERY"
  | "STEM_QUERY_LIMIT"
  | "STEM_ENGINE";

/** What is known about the effect of the operation that failed. */
export type ErrorOutcome = "not-applied" | "unknown";

/** Facts that every {@link StemError} may carry beside its message. */
export interface StemErrorFacts {
  /** Trying the same call again may succeed without any change by the caller. */
  readonly retryable?: boolean;
  readonly outcome?: ErrorOutcome;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * Base class of every error thrown on purpose.
 *
 * Match on `code`: `instanceof` does not survive `postMessage` between two copies of the library. Unless `outcome`
 * is `"unknown"`, the operation had no effect.
 */
export class StemError extends Error {
  override readonly name: string = "StemError";
  readonly code: StemErrorCode;
  readonly retryable: boolean;
  readonly outcome: ErrorOutcome;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: StemErrorCode, message: string, facts: StemErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.retryable = facts.retryable ?? false;
    this.outcome = facts.outcome ?? "not-applied";
    this.details = facts.details ?? {};
  }
}

/** Renders any value for an error message, without running user code and without unbounded length. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return typeof value;
  if (value === null || typeof value !== "object") return Object.is(value, -0) ? "-0" : String(value);
  try {
    return Array.isArray(value) ? `array of ${value.length}` : "object";
  } catch {
    // A proxy: asking it anything runs its code.
    return "object";
  }
}

/** An option or argument is outside of what the function accepts; nothing was done. */
export class InvalidOptionError extends StemError {
  override readonly name = "InvalidOptionError";
  constructor(option: string, value: unknown, allowed: string) {
    const message = `Option "${option}" must be ${allowed}; got ${showValue(value)}.`;
    super("STEM_INVALID_OPTION", message, { details: { option, value: showValue(value), allowed } });
  }
}

/** A queue, task, namespace, id or worker name holds characters that names may not hold, or is too long. */
export class InvalidNameError extends StemError {
  override readonly name = "InvalidNameError";
  constructor(kind: string, value: unknown, reason: string) {
    const message = `${kind} name ${showValue(value)} ${reason}.`;
    super("STEM_INVALID_NAME", message, { details: { kind, value: showValue(value), reason } });
  }
}

/** A value cannot be stored as JSON and read back equal; `details.path` says which one. */
export class PayloadNotSerializableError extends StemError {
  override readonly name = "PayloadNotSerializableError";
  constructor(path: string, reason: string, cause?: unknown) {
    super("STEM_PAYLOAD_NOT_SERIALIZABLE", `Value at ${path} cannot be stored: ${reason}.`, {
      details: { path, reason },
      cause,
    });
  }
}

/** A payload, header set or result is larger than its limit, in bytes of UTF-8 JSON. */
export class PayloadTooLargeError extends StemError {
  override readonly name = "PayloadTooLargeError";
  constructor(what: string, limit: number, actual: number) {
    const message = `${what} takes ${actual} bytes; the limit is ${limit}.`;
    super("STEM_PAYLOAD_TOO_LARGE", message, { details: { what, limit, actual } });
  }
}

/** Stored or received JSON is not an envelope. */
export class MalformedEnvelopeError extends StemError {
  override readonly name = "MalformedEnvelopeError";
  constructor(path: string, reason: string, cause?: unknown) {
    super("STEM_MALFORMED_ENVELOPE", `Envelope field ${path} ${reason}.`, { details: { path, reason }, cause });
  }
}

/** Another message with this id but other content is stored; it was left as it is. */
export class DuplicateIdConflictError extends StemError {
  override readonly name = "DuplicateIdConflictError";
  constructor(taskId: string, queue: string) {
    const message = `Task id "${taskId}" is already used by another message in queue "${queue}".`;
    super("STEM_DUPLICATE_ID", message, { details: { taskId, queue } });
  }
}

/** Two handlers were registered under one task name. */
export class DuplicateTaskError extends StemError {
  override readonly name = "DuplicateTaskError";
  constructor(taskName: string) {
    super("STEM_DUPLICATE_TASK", `A handler for task "${taskName}" is already registered.`, { details: { taskName } });
  }
}

/** No handler is registered under this task name. */
export class UnknownTaskError extends StemError {
  override readonly name = "UnknownTaskError";
  constructor(taskName: string) {
    super("STEM_UNKNOWN_TASK", `Task "${taskName}" is not registered.`, { details: { taskName } });
  }
}

/** The call needs a result backend and none was given. */
export class MissingBackendError extends StemError {
  override readonly name = "MissingBackendError";
  constructor(call: string) {
    const message = `${call} needs a result backend; pass one to the constructor.`;
    super("STEM_MISSING_BACKEND", message, { details: { call } });
  }
}

/** The delivery's token is no longer the current one of its task: the call changed nothing. */
export class LeaseLostError extends StemError {
  override readonly name = "LeaseLostError";
  constructor(taskId: string, queue: string) {
    const message = `The lease on task "${taskId}" in queue "${queue}" is no longer held by this delivery.`;
    super("STEM_LEASE_LOST", message, { details: { taskId, queue } });
  }
}

/** The running task was revoked with `terminate`; thrown at its next checkpoint. */
export class TaskRevokedError extends StemError {
  override readonly name = "TaskRevokedError";
  constructor(taskId: string, reason?: string, requestedBy?: string) {
    super("STEM_TASK_REVOKED", `Task "${taskId}" was revoked${reason === undefined ? "" : `: ${reason}`}.`, {
      details: { taskId, reason, requestedBy },
    });
  }
}

/** A result was asked of a task that failed, was cancelled or has not finished; `details.type` has its error's type. */
export class TaskFailedError extends StemError {
  override readonly name = "TaskFailedError";
  constructor(taskId: string, state: string, type?: string, message?: string) {
    const reason = type === undefined ? "" : `: ${type}: ${message ?? ""}`;
    const text = `Task "${taskId}" has no result; its state is "${state}"${reason}.`;
    super("STEM_TASK_FAILED", text, { details: { taskId, state, type, message } });
  }
}

/** A limit in time passed before the awaited thing happened. */
export class TimeoutError extends StemError {
  override readonly name = "TimeoutError";
  constructor(what: string, limitMs: number) {
    super("STEM_TIMEOUT", `${what} did not finish within ${limitMs} ms.`, { details: { what, limitMs } });
  }
}

/** The object was closed; the call was refused before any effect. */
export class ClosedError extends StemError {
  override readonly name = "ClosedError";
  constructor(what: string) {
    super("STEM_CLOSED", `${what} is closed.`, { details: { what } });
  }
}

/** A fault struck while the transaction was being committed: the effect is there or it is not, never half. */
export class OutcomeUnknownError extends StemError {
  override readonly name = "OutcomeUnknownError";
  constructor(operation: string, cause?: unknown) {
    super("STEM_OUTCOME_UNKNOWN", `It is not known whether ${operation} took effect; retry it with the same id.`, {
      outcome: "unknown",
      retryable: true,
      details: { operation },
      cause,
    });
  }
}

/** No room on the disk or in the quota; reads go on, except while IndexedDB is read again after a write that failed. */
export class StorageFullError extends StemError {
  override readonly name = "StorageFullError";
  constructor(path: string, cause?: unknown) {
    super("STEM_STORAGE_FULL", `No space left for "${path}".`, { retryable: true, details: { path }, cause });
  }
}

/** The platform refused a storage call; `details` has the call and the platform's own code. */
export class StorageIoError extends StemError {
  override readonly name = "StorageIoError";
  constructor(call: string, path: string, osCode: string, cause?: unknown) {
    super("STEM_STORAGE_IO", `Storage call ${call} on "${path}" failed with ${osCode}.`, {
      retryable: true,
      details: { call, path, osCode },
      cause,
    });
  }
}

/** The database, or the folder it lies in, cannot be written by this process. */
export class StorageReadOnlyError extends StemError {
  override readonly name = "StorageReadOnlyError";
  constructor(path: string, needs: string, cause?: unknown) {
    super("STEM_STORAGE_READ_ONLY", `"${path}" cannot be opened for writing: it needs ${needs}.`, {
      details: { path, needs },
      cause,
    });
  }
}

/** Another living process or thread owns the database. */
export class DatabaseBusyError extends StemError {
  override readonly name = "DatabaseBusyError";
  constructor(path: string, owner: string) {
    super("STEM_DATABASE_BUSY", `"${path}" is in use by ${owner}.`, { retryable: true, details: { path, owner } });
  }
}

/** The file is damaged. It is never deleted or repaired on its own. */
export class DatabaseCorruptError extends StemError {
  override readonly name = "DatabaseCorruptError";
  constructor(path: string, finding: string, cause?: unknown) {
    super("STEM_DATABASE_CORRUPT", `"${path}" is damaged: ${finding}.`, { details: { path, finding }, cause });
  }
}

/** The database file was deleted, moved or replaced while it was open, or its log belongs to another file. */
export class DatabaseReplacedError extends StemError {
  override readonly name = "DatabaseReplacedError";
  constructor(path: string, finding: string) {
    super("STEM_DATABASE_REPLACED", `"${path}" ${finding}.`, { details: { path, finding } });
  }
}

/** The browser, or the user, removed what the site had stored while the database was open: its messages are gone. */
export class StorageEvictedError extends StemError {
  override readonly name = "StorageEvictedError";
  constructor(path: string) {
    super("STEM_STORAGE_EVICTED", `"${path}" was removed by the browser while it was open.`, { details: { path } });
  }
}

/** This context does not own the database any more; what it asks for goes to the next owner, or to itself again. */
export class OwnershipLostError extends StemError {
  override readonly name = "OwnershipLostError";
  constructor(path: string, finding: string) {
    const message = `"${path}" is not owned by this context any more: ${finding}.`;
    super("STEM_OWNERSHIP_LOST", message, { retryable: true, details: { path, finding } });
  }
}

/** The path names something that is not a database of this library; it was left untouched. */
export class NotAQueueDatabaseError extends StemError {
  override readonly name = "NotAQueueDatabaseError";
  constructor(path: string, finding: string) {
    const message = `"${path}" is not a stem-sqlite database: ${finding}.`;
    super("STEM_NOT_A_QUEUE_DATABASE", message, { details: { path, finding } });
  }
}

/** A newer release wrote this database; it was left untouched. */
export class SchemaTooNewError extends StemError {
  override readonly name = "SchemaTooNewError";
  constructor(path: string, found: number, supported: number) {
    const message = `"${path}" has schema version ${found}; this release reads up to ${supported}.`;
    super("STEM_SCHEMA_TOO_NEW", message, { details: { path, found, supported } });
  }
}

/** The file has several hard links, so two names could be opened as two databases. */
export class MultipleLinksError extends StemError {
  override readonly name = "MultipleLinksError";
  constructor(path: string, links: number) {
    const message = `"${path}" has ${links} hard links; keep one name only.`;
    super("STEM_MULTIPLE_LINKS", message, { details: { path, links } });
  }
}

/** The platform lacks something this call cannot do without. */
export class UnsupportedEnvironmentError extends StemError {
  override readonly name = "UnsupportedEnvironmentError";
  constructor(missing: string) {
    super("STEM_UNSUPPORTED_ENVIRONMENT", `This environment lacks ${missing}.`, { details: { missing } });
  }
}

/** The process that owns the database is alive and does not answer; its place is never taken from it. */
export class OwnerUnresponsiveError extends StemError {
  override readonly name = "OwnerUnresponsiveError";
  constructor(path: string, owner: string, silentMs: number) {
    super("STEM_OWNER_UNRESPONSIVE", `"${path}" is owned by ${owner}, which has not answered for ${silentMs} ms.`, {
      retryable: true,
      outcome: "unknown",
      details: { path, owner, silentMs },
    });
  }
}

/** The owner of the database runs another release, whose protocol or schema is not this one's. */
export class VersionMismatchError extends StemError {
  override readonly name = "VersionMismatchError";
  constructor(what: string, own: number, owners: number) {
    const message = `This process has ${what} ${own}, the owner of the database ${owners}.`;
    super("STEM_VERSION_MISMATCH", message, { details: { what, own, owners } });
  }
}

/** An isolated handler ended its thread, or could not be run in one: an exit, a crash, too much memory. */
export class IsolateError extends StemError {
  override readonly name = "IsolateError";
  constructor(taskName: string, finding: string, cause?: unknown) {
    super("STEM_ISOLATE", `The isolated handler of task "${taskName}" ${finding}.`, {
      retryable: true,
      details: { taskName, finding },
      cause,
    });
  }
}

/** A queue under test does not come to rest; `details.tasks` are those that did not end, the message names some. */
export class NotDrainedError extends StemError {
  override readonly name = "NotDrainedError";
  constructor(finding: string, tasks: readonly Readonly<{ id: string; name: string }>[] = []) {
    const named = tasks.slice(0, 5).map(({ id, name }) => `"${name}" (${id})`);
    const others = tasks.length > named.length ? ` and ${tasks.length - named.length} more` : "";
    const left = named.length === 0 ? "" : `; not ended: ${named.join(", ")}${others}`;
    super("STEM_NOT_DRAINED", `The queue does not come to rest: ${finding}${left}.`, { details: { finding, tasks } });
  }
}

/** The engine failed in a way no other error describes; the message is SQLite's or the thread's own. */
export class EngineError extends StemError {
  override readonly name = "EngineError";
  constructor(finding: string, facts: StemErrorFacts = {}) {
    super("STEM_ENGINE", `The database engine failed: ${finding}.`, facts);
  }
}
