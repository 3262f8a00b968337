import { checkName } from "../core/names.ts";
import type { WorkflowFacts } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";

/** What every part of a workflow's code sees of its run; `scope` is the default of its idempotency key. */
export function createFacts(pass: WorkflowPass, scope: string): WorkflowFacts {
  const { run } = pass.parts;
  return {
    workflow: run.workflow,
    version: run.version,
    runId: run.runId,
    params: run.params,
    idempotencyKey: (given?: string) =>
      `${run.workflow}/${run.runId}/${given === undefined ? scope : checkName("scope", given)}`,
  };
}
