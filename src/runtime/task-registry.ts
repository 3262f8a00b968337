import type { AnyTaskHandler } from "../contracts/task-handler.ts";
import { checkName } from "../core/names.ts";
import { resolveTaskOptions } from "../core/task-options.ts";
import { DuplicateTaskError, InvalidOptionError } from "../errors.ts";
import { checkIsolated } from "./isolated-function.ts";

/** Handlers by task name, shared by producers and workers. */
export class TaskRegistry {
  readonly #handlers = new Map<string, AnyTaskHandler>();

  /** @param handlers registered in order, as `register` does. */
  constructor(handlers: readonly AnyTaskHandler[] = []) {
    this.registerAll(handlers);
  }

  /**
   * Adds a handler after checking its name and options. A different handler under a name in use throws
   * `DuplicateTaskError`, unless `overrideExisting` is set; the same handler once more changes nothing.
   */
  register(handler: AnyTaskHandler, options: Readonly<{ overrideExisting?: boolean }> = {}): void {
    checkHandler(handler);
    const existing = this.#handlers.get(handler.name);
    if (existing === handler) return;
    if (existing !== undefined && options.overrideExisting !== true) throw new DuplicateTaskError(handler.name);
    this.#handlers.set(handler.name, handler);
  }

  /** Registers a list of handlers; the first that is refused ends it. */
  registerAll(handlers: readonly AnyTaskHandler[]): void {
    if (!Array.isArray(handlers)) throw new InvalidOptionError("tasks", handlers, "an array of task handlers");
    for (const handler of handlers) this.register(handler);
  }

  /** The handler of this name, if there is one. */
  resolve(name: string): AnyTaskHandler | undefined {
    return this.#handlers.get(name);
  }

  /** All handlers, in the order of their registration. */
  get handlers(): readonly AnyTaskHandler[] {
    return [...this.#handlers.values()];
  }
}

function checkHandler(handler: unknown): void {
  const candidate = handler as Partial<AnyTaskHandler> | null | undefined;
  if (typeof candidate !== "object" || candidate === null || typeof candidate.run !== "function") {
    throw new InvalidOptionError("handler", handler, "a task handler with name, options and run");
  }
  if (candidate.isolated !== undefined) checkIsolated(candidate.isolated);
  checkName("task", candidate.name);
  resolveTaskOptions(candidate.options);
}

/** The registry a producer or worker uses: `tasks` are added to the given registry, or to a new one. */
export function registryFrom(
  tasks: readonly AnyTaskHandler[] | undefined,
  registry: TaskRegistry | undefined,
): TaskRegistry | undefined {
  if (registry !== undefined && !(registry instanceof TaskRegistry)) {
    throw new InvalidOptionError("registry", registry, "a TaskRegistry");
  }
  if (tasks === undefined) return registry;
  if (registry === undefined) return new TaskRegistry(tasks);
  registry.registerAll(tasks);
  return registry;
}
