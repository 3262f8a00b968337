import type {
  GroupStatus,
  SetStatusOptions,
  StatusWrite,
  TaskError,
  TaskStatus,
  TaskStatusRecord,
} from "../../src/contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { type JsonObject, type JsonValue, stringifyJsonWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkInteger, checkOneOf, mergeOptions } from "../../src/core/options.ts";
import { TASK_STATES } from "../../src/core/task-state.ts";
import { EngineError, InvalidOptionError } from "../../src/errors.ts";
import type { StoredGroup } from "./operations/groups.ts";
import type { StatusRecordRow, StoredStatus, StoredStatusWrite } from "./operations/results.ts";

/** Bounds of counters such as `attempt` and `fence`. */
export const COUNT: Readonly<{ min: number; max: number }> = { min: 0, max: Number.MAX_SAFE_INTEGER };

/** What a status may take, and how long it lives unless it says so itself. */
export interface StatusBounds {
  readonly defaultTtl: Milliseconds;
  /** Bytes of JSON, for payload, error and meta each. */
  readonly maxPayloadBytes: number;
}

type OptionDefaults = Readonly<Record<keyof SetStatusOptions, unknown>>;
const STATUS_DEFAULTS: OptionDefaults = {
  payload: undefined,
  error: undefined,
  attempt: 0,
  meta: {},
  ttl: undefined,
  fence: undefined,
};

/** Checks and encodes a status write for the owner; throws a typed error naming the part that cannot be stored. */
export function toStoredWrite(write: StatusWrite, { defaultTtl, maxPayloadBytes }: StatusBounds): StoredStatusWrite {
  const { taskId, state, ...options } = write;
  const { ttl, fence, attempt, ...rest } = mergeOptions(STATUS_DEFAULTS, options) as SetStatusOptions;
  const parts = toStoredStatus({ meta: {}, ...rest, id: taskId, state, attempt: attempt ?? 0 }, maxPayloadBytes);
  const queue = rest.meta?.["queue"];
  return {
    ...parts,
    fence: fence === undefined ? null : checkInteger("fence", fence, COUNT),
    queue: typeof queue === "string" ? queue : null,
    ttl: checkDuration("ttl", ttl ?? defaultTtl),
  };
}

/** Checks and encodes a status; payload, error and meta may take `maxBytes` each. */
export function toStoredStatus(status: TaskStatus, maxBytes: number): StoredStatus {
  const { id, state, attempt, payload, error, meta } = status;
  return {
    id: checkName("task id", id),
    state: checkOneOf("state", state, TASK_STATES),
    attempt: checkInteger("attempt", attempt, COUNT),
    payload: payload === undefined ? null : stringifyJsonWithin(payload, "payload", maxBytes),
    error: error === undefined ? null : encodeError(error, maxBytes),
    meta: encodeObject("meta", meta, maxBytes),
  };
}

/** One text for a whole stored status, as a group keeps it. */
export function toStatusText({ id, state, attempt, payload, error, meta }: StoredStatus): string {
  const optional = `${payload === null ? "" : `"payload":${payload},`}${error === null ? "" : `"error":${error},`}`;
  return `{"id":${JSON.stringify(id)},"state":"${state}","attempt":${attempt},${optional}"meta":${meta}}`;
}

/** Reads a stored status; each call makes new objects. */
export function toStatus({ id, state, attempt, payload, error, meta }: StoredStatus): TaskStatus {
  return {
    id,
    state,
    attempt,
    ...(payload === null ? {} : { payload: parseStored<JsonValue>(payload) }),
    ...(error === null ? {} : { error: parseStored<TaskError>(error) }),
    meta: parseStored<JsonObject>(meta),
  };
}

/** Reads a stored status with its dates. */
export function toStatusRecord(row: StatusRecordRow): TaskStatusRecord {
  return { status: toStatus(row), createdAt: new Date(row.createdAt), updatedAt: new Date(row.updatedAt) };
}

/** Reads a stored group. */
export function toGroupStatus({ id, expected, meta, results }: StoredGroup): GroupStatus {
  return {
    id,
    expected,
    results: new Map(results.map(({ taskId, status }) => [taskId, parseStored<TaskStatus>(status)])),
    meta: parseStored<JsonObject>(meta),
    completed: results.length,
    isComplete: results.length >= expected,
  };
}

/** Reads JSON that this library wrote; anything else in its place is an `EngineError`. */
export function parseStored<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new EngineError("a stored value is not JSON", { cause: error });
  }
}

/** Encodes an object with JSON values; anything else is an `InvalidOptionError`. */
export function encodeObject(path: string, value: unknown, maxBytes: number): string {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new InvalidOptionError(path, value, "an object with JSON values");
  }
  return stringifyJsonWithin(value, path, maxBytes);
}

/** Returns `value` when it is a string, else throws `InvalidOptionError`. */
export function checkText(option: string, value: unknown): string {
  if (typeof value !== "string") throw new InvalidOptionError(option, value, "a string");
  return value;
}

function encodeError(error: TaskError, maxBytes: number): string {
  if (error === null || typeof error !== "object") throw new InvalidOptionError("error", error, "a task error");
  const plain = {
    type: checkText("error.type", error.type),
    message: checkText("error.message", error.message),
    ...(error.stack === undefined ? {} : { stack: checkText("error.stack", error.stack) }),
    retryable: checkBoolean("error.retryable", error.retryable),
    meta: error.meta,
  };
  encodeObject("error.meta", error.meta, maxBytes);
  return stringifyJsonWithin(plain, "error", maxBytes);
}
