import type { IsolatedFunction, TaskContext, TaskFunction } from "../contracts/task-handler.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { TaskOptions } from "../core/task-options.ts";
import { IsolateError } from "../errors.ts";
import { checkKnown } from "./check-ports.ts";
import { createTask, type JsonTask, type Task } from "./define-task.ts";
import { loadFunction } from "./isolate-thread.ts";
import { checkIsolated, moduleUrl } from "./isolated-function.ts";

/** Options of a task that runs in a thread. */
export interface IsolatedTaskOptions extends TaskOptions {
  /** Name under which the module exports the function. @defaultValue `"default"` */
  readonly exportName?: string;
  /**
   * Most memory the thread's heap may take, in MiB; a handler that needs more fails with `IsolateError`. Buffers lie
   * outside of the heap. At least 16.
   *
   * @defaultValue the platform's limit
   */
  readonly maxMemoryMb?: number;
}

/** A module that exports a task's function under `Name`. */
export type TaskModule<Name extends string> = Readonly<Record<Name, (context: TaskContext, args: never) => unknown>>;

/** The arguments that a function of a {@link TaskModule} takes. */
export type ArgsOf<Run> = Run extends (context: TaskContext, args: infer Args) => unknown
  ? unknown extends Args
    ? JsonObject
    : Args extends object
      ? Args
      : never
  : never;

/** The result that a function of a {@link TaskModule} has. */
export type ResultOf<Run> = Run extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** The last argument of {@link defineIsolatedTask}; it may be left out where the default export is meant. */
export type IsolatedCall<Name extends string> = "default" extends Name
  ? [options?: IsolatedTaskOptions & { readonly exportName?: Name }]
  : [options: IsolatedTaskOptions & { readonly exportName: Name }];

/** The module's URL, or a compile-time complaint about a function whose arguments or result JSON cannot hold. */
export type ModuleUrl<Args, Result> = (URL | string) & JsonTask<Args, Result>;

/**
 * Names a function that workers run in a thread of its own. `defineIsolatedTask<typeof work, "resize">`, after
 * `import type * as work from "./work.ts"`, takes the types of that export; `defineIsolatedTask<Args, Result>` the ones
 * that are given.
 *
 * The function may block its thread, exceed its memory or call `process.exit`: the attempt fails, the worker goes on.
 * Limits, revocations and shutdowns end it by force. Faults are contained, malice is not: a thread is no sandbox.
 * What a handler leaves behind in its thread, such as timers, the next one may meet.
 *
 * Throws `InvalidNameError` or `InvalidOptionError`; the module is loaded when the task first runs.
 *
 * @param module absolute URL, as `new URL("./work.js", import.meta.url)` gives it
 */
export function defineIsolatedTask<Module extends TaskModule<Name>, Name extends string = "default">(
  name: string,
  module: ModuleUrl<ArgsOf<Module[Name]>, ResultOf<Module[Name]>>,
  ...call: IsolatedCall<Name>
): Task<ArgsOf<Module[Name]>, ResultOf<Module[Name]>>;
export function defineIsolatedTask<Args extends object = JsonObject, Result = JsonValue>(
  name: string,
  module: ModuleUrl<Args, Result>,
  options?: IsolatedTaskOptions,
): Task<Args, Result>;
export function defineIsolatedTask(name: string, module: URL | string, options: IsolatedTaskOptions = {}): Task {
  if (options === null || typeof options !== "object") checkKnown("", options, new Set());
  const { exportName = "default", maxMemoryMb, ...rest } = options;
  const isolated = checkIsolated({
    module: moduleUrl(module),
    exportName,
    ...(maxMemoryMb === undefined ? {} : { maxMemoryMb }),
  });
  return createTask(name, runHere(name, isolated), rest, isolated);
}

/** What `task.run` does when it is called by hand, as a unit test may: the same function, in the caller's thread. */
function runHere(name: string, isolated: IsolatedFunction): TaskFunction {
  return async (context, args) => {
    const loaded = await loadFunction(
      isolated,
      (url) => import(/* @vite-ignore */ /* webpackIgnore: true */ url) as Promise<unknown>,
    );
    if (typeof loaded !== "function") throw new IsolateError(name, loaded.finding, loaded.cause);
    return loaded(context, args);
  };
}
