import type { EnqueueOptions, TaskEnqueuer } from "../contracts/task-enqueuer.ts";
import type { IsolatedFunction, TaskFunction, TaskHandler } from "../contracts/task-handler.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { resolveTaskOptions, type TaskOptions } from "../core/task-options.ts";
import { InvalidOptionError } from "../errors.ts";
import type { Stem, WaitOptions } from "./stem.ts";
import type { StoredResult, TaskResult } from "./task-result.ts";

/** `T` where it has a JSON form, `never` in the places where it has not. Types of interfaces are fine. */
export type JsonShape<T> = T extends JsonValue | undefined | void
  ? T
  : T extends (...args: never[]) => unknown
    ? never
    : T extends object
      ? { [Key in keyof T]: JsonShape<T[Key]> }
      : never;

/** A compile-time complaint about a task whose arguments or result JSON cannot hold. */
export type JsonTask<Args, Result> = [Args] extends [JsonShape<Args>]
  ? [Result] extends [JsonShape<Result>]
    ? unknown
    : { readonly "this result has no JSON form": Result }
  : { readonly "these arguments have no JSON form": Args };

/** The arguments and options of a typed call; arguments may be left out where an empty object will do. */
export type TaskCall<Args, Options> =
  Record<string, never> extends Args ? [args?: Args, options?: Options] : [args: Args, options?: Options];

/** What a typed enqueue may say beside the arguments. */
export type TaskEnqueueExtras = Omit<EnqueueOptions, "args">;

/** A named function that workers run and producers enqueue, with the types of its arguments and its result. */
export interface Task<Args extends object = JsonObject, Result = unknown> extends TaskHandler<Args, Result> {
  /** Enqueues this task; through a `Stem` or the context of a running task. Resolves to its id. */
  enqueue(through: TaskEnqueuer, ...call: TaskCall<Args, TaskEnqueueExtras>): Promise<string>;
  /** Enqueues this task and waits for it; `null` when nothing was seen of it until the timeout. */
  enqueueAndWait(
    stem: Stem,
    ...call: TaskCall<Args, TaskEnqueueExtras & WaitOptions>
  ): Promise<TaskResult<StoredResult<Result>> | null>;
}

/**
 * Names a function so that it can be queued. The argument type comes from the function's second parameter.
 *
 * Options are checked here: `InvalidNameError` or `InvalidOptionError`. A result that is not JSON fails the task with
 * `PayloadNotSerializableError` under its retry rules.
 */
export function defineTask<Args extends object = JsonObject, Result = void>(
  name: string,
  run: TaskFunction<Args, Result> & JsonTask<Args, Result>,
  options: TaskOptions = {},
): Task<NoInfer<Args>, NoInfer<Result>> {
  if (typeof run !== "function") throw new InvalidOptionError("run", run, "a function");
  return createTask<Args, Result>(name, run, options);
}

/** Checks name and options, and makes the task of an inline or isolated function. */
export function createTask<Args extends object, Result>(
  name: string,
  run: TaskFunction<Args, Result>,
  options: TaskOptions,
  isolated?: IsolatedFunction,
): Task<Args, Result> {
  checkName("task", name);
  resolveTaskOptions(options);
  const enqueue = (through: TaskEnqueuer, args: unknown, extras: TaskEnqueueExtras = {}): Promise<string> =>
    through.enqueue(name, args === undefined ? extras : { ...extras, args: args as JsonObject });
  return Object.freeze({
    name,
    options: Object.freeze({ ...options }),
    run,
    ...(isolated === undefined ? {} : { isolated: Object.freeze({ ...isolated }) }),
    enqueue: (through: TaskEnqueuer, ...[args, extras]: readonly unknown[]) =>
      enqueue(through, args, extras as TaskEnqueueExtras | undefined),
    async enqueueAndWait(stem: Stem, ...[args, extras = {}]: readonly unknown[]) {
      const { timeout, pollInterval, ...rest } = extras as TaskEnqueueExtras & WaitOptions;
      const id = await enqueue(stem, args, rest);
      const wait = {
        ...(timeout === undefined ? {} : { timeout }),
        ...(pollInterval === undefined ? {} : { pollInterval }),
      };
      return stem.waitForTask<StoredResult<Result>>(id, wait);
    },
  });
}
