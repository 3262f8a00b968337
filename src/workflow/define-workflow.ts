import { stringifyJson } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkText } from "../core/options.ts";
import { checkVersion } from "./workflow-refs.ts";
import type { StepManifest, WorkflowDefinition, WorkflowScriptContext } from "./workflow-definition.ts";

/** What flows and scripts have in common. */
export interface WorkflowOptions {
  readonly name: string;
  /**
   * To be raised with a change that runs under way cannot follow; keep the definition of the former version registered
   * as long as there are runs of it.
   *
   * @defaultValue `1`
   */
  readonly version?: number;
  /** For people. @defaultValue `""` */
  readonly description?: string;
  /** For tools. @defaultValue `{}` */
  readonly metadata?: JsonObject;
}

/** Checks what a workflow is called, and makes its definition. */
export function createDefinition<Params extends object, Result>(
  kind: "flow" | "script",
  options: WorkflowOptions,
  steps: readonly StepManifest[],
  body: (script: WorkflowScriptContext<Params>) => Promise<Result>,
): WorkflowDefinition<Params, Result> {
  const name = checkName("workflow", options.name);
  const version = options.version === undefined ? 1 : checkVersion(options.version);
  const description = options.description === undefined ? "" : checkText("description", options.description);
  const metadata = options.metadata ?? {};
  stringifyJson(metadata, "metadata");
  const stableId = fingerprint(stringifyJson([kind, name, version, steps.map((step) => step.name)], "definition"));
  return Object.freeze({ name, version, kind, description, metadata, stableId, steps, body });
}

/** FNV-1a over UTF-16 units: tells definitions apart, and protects nothing. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
