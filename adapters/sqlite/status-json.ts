import type {
  GroupStatus,
  SetStatusOptions,
  StatusWrite,
  TaskError,
  TaskStatus,
  TaskStatusRecord,
} from "../../src/contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { type JsonObject, type JsonValue, stringifyJsonWithin, stringifyObjectWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkInteger, checkOneOf } from "../../src/core/options.ts";
import { encodeTaskError } from "../../src/core/task-error.ts";
import { TASK_STATES, type TaskState } from "../../src/core/task-state.ts";
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

const SET_FIELDS = [
  "payload",
  "error",
  "attempt",
  "meta",
  "ttl",
  "fence",
] as const satisfies readonly (keyof SetStatusOptions)[];
const WRITE_FIELDS = [...SET_FIELDS, "taskId", "state"] as const satisfies readonly (keyof StatusWrite)[];

/** Checks and encodes what `set` was given; throws a typed error naming the part that cannot be stored. */
export function toStoredSet(
  id: string,
  state: TaskState,
  options: SetStatusOptions,
  bounds: StatusBounds,
): StoredStatusWrite {
  checkFields("options", options, SET_FIELDS);
  return toStoredWrite(id, state, options, bounds);
}

/** Checks and encodes a status write that comes as one value. */
export function toStoredStatusWrite(write: StatusWrite, bounds: StatusBounds): StoredStatusWrite {
  checkFields("status", write, WRITE_FIELDS);
  return toStoredWrite(write.taskId, write.state, write, bounds);
}

/** Checks and encodes a status; payload, error and meta may take `maxBytes` each. */
export function toStoredStatus(status: TaskStatus, maxBytes: number): StoredStatus {
  const { id, state, attempt, payload, error, meta } = status;
  return {
    id: checkName("task id", id),
    state: checkOneOf("state", state, TASK_STATES),
    attempt: checkInteger("attempt", attempt, COUNT),
    payload: payload === undefined ? null : stringifyJsonWithin(payload, "payload", maxBytes),
    error: error === undefined ? null : encodeTaskError(error, maxBytes),
    meta: stringifyObjectWithin(meta, "meta", maxBytes),
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

/** Written field by field: this is on the way of every task, twice. */
function toStoredWrite(
  id: string,
  state: TaskState,
  options: SetStatusOptions,
  { defaultTtl, maxPayloadBytes }: StatusBounds,
): StoredStatusWrite {
  const { payload, error, attempt = 0, meta = {}, ttl = defaultTtl, fence } = options;
  const queue = meta?.["queue"];
  return {
    id: checkName("task id", id),
    state: checkOneOf("state", state, TASK_STATES),
    attempt: checkInteger("attempt", attempt, COUNT),
    payload: payload === undefined ? null : stringifyJsonWithin(payload, "payload", maxPayloadBytes),
    error: error === undefined ? null : encodeTaskError(error, maxPayloadBytes),
    meta: stringifyObjectWithin(meta, "meta", maxPayloadBytes),
    fence: fence === undefined ? null : checkInteger("fence", fence, COUNT),
    queue: typeof queue === "string" ? queue : null,
    ttl: checkDuration("ttl", ttl),
  };
}

function checkFields(what: string, value: object, known: readonly string[]): void {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new InvalidOptionError(what, value, "an object");
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      throw new InvalidOptionError(name, "given", `one of the known options (${known.join(", ")})`);
    }
  }
}
