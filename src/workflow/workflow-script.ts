import type { JsonObject } from "../core/json.ts";
import { InvalidOptionError } from "../errors.ts";
import { checkKnown } from "../runtime/check-ports.ts";
import { createDefinition, type WorkflowOptions } from "./define-workflow.ts";
import { WorkflowHandle } from "./workflow-handle.ts";
import type { WorkflowDefinition, WorkflowScriptContext } from "./workflow-definition.ts";

/** A workflow as free code. */
export interface WorkflowScriptOptions<Params extends object, Result> extends WorkflowOptions {
  /**
   * Runs from its beginning each time the run goes on, over what is recorded. Between its steps it may only do what
   * comes out the same each time: no time, no randomness, no input or output.
   */
  readonly run: (script: WorkflowScriptContext<Params>) => Promise<Result>;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof WorkflowScriptOptions<never, never>>([
  "name",
  "version",
  "description",
  "metadata",
  "run",
]);

/** A durable workflow written as one function; only what its steps and waits come to is recorded. */
export class WorkflowScript<Result = unknown, Params extends object = JsonObject> extends WorkflowHandle<
  Params,
  Result
> {
  readonly definition: WorkflowDefinition<Params, Result>;

  constructor(options: WorkflowScriptOptions<Params, Result>) {
    checkKnown("", options, OPTION_NAMES);
    const { run } = options;
    if (typeof run !== "function") throw new InvalidOptionError("run", run, "a function");
    const definition = createDefinition<Params, Result>("script", options, [], run);
    super(definition.name, definition.version);
    this.definition = definition;
  }
}
