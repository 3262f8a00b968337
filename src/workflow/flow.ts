import type { JsonObject, JsonValue } from "../core/json.ts";
import { stringifyJson } from "../core/json.ts";
import { checkOneOf } from "../core/options.ts";
import { InvalidOptionError } from "../errors.ts";
import { checkKnown } from "../runtime/check-ports.ts";
import { createDefinition, type WorkflowOptions } from "./define-workflow.ts";
import { IS_LAST } from "./script-context.ts";
import { checkStepName } from "./step-names.ts";
import type {
  StepKind,
  StepManifest,
  StepOptions,
  WorkflowDefinition,
  WorkflowStepContext,
} from "./workflow-definition.ts";
import { WorkflowHandle } from "./workflow-handle.ts";

/** Takes the steps of a flow, in their order. */
export interface FlowBuilder<Params extends object> {
  step<Result = void>(
    name: string,
    run: (context: WorkflowStepContext<Params>) => Promise<Result> | Result,
    options?: StepOptions<Result>,
  ): FlowBuilder<Params>;
}

/** A workflow as an ordered list of steps. */
export interface FlowOptions<Params extends object> extends WorkflowOptions {
  /** Called once, at once. */
  readonly build: (flow: FlowBuilder<Params>) => unknown;
}

interface FlowStep {
  readonly name: string;
  readonly run: (context: WorkflowStepContext) => unknown;
  readonly options: StepOptions<never>;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof FlowOptions<never>>([
  "name",
  "version",
  "description",
  "metadata",
  "build",
]);
const STEP_KINDS: readonly StepKind[] = ["task", "choice", "parallel", "wait", "custom"];

/**
 * A durable workflow of steps that follow one another; what the last one returns is the result of the run. Step names are
 * unique in a flow: a second one throws `InvalidOptionError`.
 */
export class Flow<Result = unknown, Params extends object = JsonObject> extends WorkflowHandle<Params, Result> {
  readonly definition: WorkflowDefinition<Params, Result>;

  constructor(options: FlowOptions<Params>) {
    checkKnown("", options, OPTION_NAMES);
    const steps = collect(options.build as (flow: FlowBuilder<JsonObject>) => unknown);
    const body: WorkflowDefinition<Params, Result>["body"] = async (script) => {
      let result: JsonValue = null;
      for (const [index, { name, run, options: given }] of steps.entries()) {
        const isLast = index === steps.length - 1;
        const settings = { ...given, [IS_LAST]: isLast } as never;
        result = await script.step<JsonValue>(name, run as never, settings);
      }
      return result as Result;
    };
    const definition = createDefinition<Params, Result>("flow", options, steps.map(toManifest), body);
    super(definition.name, definition.version);
    this.definition = definition;
  }
}

function collect(build: (flow: FlowBuilder<JsonObject>) => unknown): readonly FlowStep[] {
  if (typeof build !== "function") throw new InvalidOptionError("build", build, "a function");
  const steps: FlowStep[] = [];
  const builder: FlowBuilder<JsonObject> = {
    step(name, run, options = {}) {
      checkStepName(name);
      if (steps.some((step) => step.name === name)) {
        throw new InvalidOptionError("name", name, "a name that no other step of the flow has");
      }
      if (typeof run !== "function") throw new InvalidOptionError("run", run, "a function");
      steps.push({ name, run: run, options: { ...options } });
      return builder;
    },
  };
  build(builder);
  if (steps.length === 0) throw new InvalidOptionError("build", build, "a function that adds at least one step");
  return steps;
}

function toManifest({ name, options }: FlowStep): StepManifest {
  const { title = name, kind = "task", autoVersion = false, taskNames = [], metadata = {} } = options;
  checkOneOf("kind", kind, STEP_KINDS);
  stringifyJson(metadata, "metadata");
  return Object.freeze({ name, title, kind, autoVersion, taskNames: [...taskNames], metadata });
}
