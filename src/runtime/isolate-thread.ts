import type { IsolatedFunction, TaskFunction } from "../contracts/task-handler.ts";
import { stringifyJson } from "../core/json.ts";
import { showValue } from "../errors.ts";
import { IsolateContext } from "./isolate-context.ts";
import type { FromIsolate, ToIsolate } from "./isolate-protocol.ts";
import { packError } from "./packed-error.ts";
import { toPayload } from "./result-payload.ts";
import { RetrySignal } from "./retry-signal.ts";

/** What a platform gives the code of a thread. */
export interface IsolateThreadParts {
  /** Sends to the worker's thread, in order. */
  readonly post: (message: FromIsolate) => void;
  /** Imports a module by its absolute URL, in the same way as the program does. */
  readonly load: (url: string) => Promise<unknown>;
}

/** Runs handlers in this thread, one at a time. Returns what takes the messages of the worker's thread. */
export function serveIsolate(parts: IsolateThreadParts): (message: ToIsolate) => void {
  let current: { readonly run: number; readonly context: IsolateContext } | undefined;
  return (message) => {
    if (message.type === "run") {
      const context = new IsolateContext(message, parts.post);
      current = { run: message.run, context };
      void runHandler(message, context, parts);
      return;
    }
    if (current?.run !== message.run) return;
    if (message.type === "stop") current.context.observeStop();
    else current.context.receive(message);
  };
}

/** The function behind an isolated task, or what is wrong with its module. Never rejects. */
export async function loadFunction(
  { module, exportName }: IsolatedFunction,
  load: (url: string) => Promise<unknown>,
): Promise<TaskFunction | { readonly finding: string; readonly cause?: unknown }> {
  try {
    const exported: unknown = ((await load(module)) as Record<string, unknown>)[exportName];
    if (typeof exported === "function") return exported as TaskFunction;
    const found = `export "${exportName}" of ${module} is ${showValue(exported)}`;
    return { finding: `cannot be called: ${found}` };
  } catch (cause) {
    return { finding: `could not be loaded from ${module}`, cause };
  }
}

async function runHandler(
  message: Extract<ToIsolate, { type: "run" }>,
  context: IsolateContext,
  { post, load }: IsolateThreadParts,
): Promise<void> {
  const { run, task } = message;
  const handler = await loadFunction(message, load);
  if (typeof handler !== "function") {
    const { finding, cause } = handler;
    post({ type: "unloadable", run, finding, ...(cause === undefined ? {} : { error: packError(cause) }) });
    return;
  }
  let end: FromIsolate;
  try {
    const result: unknown = await handler(context.create(), task.args);
    end = { type: "succeeded", run, json: stringifyJson(toPayload(task.meta, result), "result") };
  } catch (thrown) {
    const request = RetrySignal.requestOf(thrown);
    end = request === undefined ? { type: "failed", run, error: packError(thrown) } : { type: "retry", run, request };
  }
  context.end();
  post(end);
}
