import { InvalidOptionError } from "../errors.ts";
import { DuplicateWorkflowError } from "../error-workflow.ts";
import type { AnyWorkflowDefinition } from "./workflow-definition.ts";

/** Anything that has a definition: a `Flow`, a `WorkflowScript`. */
export interface HasDefinition {
  readonly definition: AnyWorkflowDefinition;
}

/** Definitions by name and version. */
export class WorkflowRegistry {
  readonly #versions = new Map<string, Map<number, AnyWorkflowDefinition>>();

  /** @param workflows registered in order, as `register` does. */
  constructor(workflows: readonly HasDefinition[] = []) {
    if (!Array.isArray(workflows)) throw new InvalidOptionError("workflows", workflows, "an array of workflows");
    for (const workflow of workflows) this.register(workflow);
  }

  /** Adds a workflow. Another one of the same name and version throws `DuplicateWorkflowError`. */
  register(workflow: HasDefinition): void {
    const definition = workflow?.definition;
    if (typeof definition?.body !== "function") {
      throw new InvalidOptionError("workflow", workflow, "a Flow or a WorkflowScript");
    }
    const { name, version } = definition;
    const versions = this.#versions.get(name) ?? new Map<number, AnyWorkflowDefinition>();
    const known = versions.get(version);
    if (known !== undefined && known !== definition) throw new DuplicateWorkflowError(name, version);
    this.#versions.set(name, versions.set(version, definition));
  }

  /** The definition of a name and version; without a version, the greatest one there is. */
  resolve(name: string, version?: number): AnyWorkflowDefinition | undefined {
    const versions = this.#versions.get(name);
    return versions?.get(version ?? Math.max(...versions.keys()));
  }

  /** All definitions, by name and version. */
  get definitions(): readonly AnyWorkflowDefinition[] {
    return [...this.#versions.entries()]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([, versions]) => [...versions.values()].toSorted((one, other) => one.version - other.version));
  }
}
