import type { TaskStatus } from "../contracts/result-backend.ts";
import type { TaskState } from "../core/task-state.ts";
import { TaskFailedError } from "../errors.ts";

/** What a task's result is after storing: nothing becomes null. */
export type StoredResult<Result> = Result extends void | undefined ? null : Result;

/** How a wait for a task ended. */
export interface TaskResult<Result = unknown> {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly state: TaskState;
  /** The stored result of a task that succeeded; `undefined` otherwise. */
  readonly value: Result | undefined;
  /** The wait ended before the task did; `status` is as it then was. */
  readonly timedOut: boolean;
  readonly isSucceeded: boolean;
  readonly isFailed: boolean;
  readonly isCancelled: boolean;
  /** The result; throws `TaskFailedError` unless the task succeeded. */
  requiredValue(): Result;
  /** The result, or `fallback` unless the task succeeded. */
  valueOr<Fallback>(fallback: Fallback): Result | Fallback;
}

/** Reads a status as a result; the type of the value is the caller's word. */
export function createTaskResult<Result>(status: TaskStatus, timedOut: boolean): TaskResult<Result> {
  const isSucceeded = status.state === "succeeded";
  const value = isSucceeded ? ((status.payload ?? null) as Result) : undefined;
  return {
    taskId: status.id,
    status,
    state: status.state,
    value,
    timedOut,
    isSucceeded,
    isFailed: status.state === "failed",
    isCancelled: status.state === "cancelled",
    requiredValue() {
      if (isSucceeded) return value as Result;
      throw new TaskFailedError(status.id, status.state, status.error?.type, status.error?.message);
    },
    valueOr: (fallback) => (isSucceeded ? (value as Result) : fallback),
  };
}
