import type { StepWrite } from "../contracts/workflow-store.ts";
import { type JsonValue, stringifyJson } from "../core/json.ts";
import { WorkflowCancelledError } from "../workflow-errors.ts";
import { Compensations } from "./compensations.ts";
import type { PassEnd, PassParts } from "./pass-parts.ts";
import { FAILURE_NAME } from "./run-failure.ts";
import { createScriptContext } from "./script-context.ts";
import { WorkflowPass } from "./workflow-pass.ts";

/** Runs the code of a workflow once over its history, and says how far it came. Never rejects. */
export async function runPass(parts: PassParts): Promise<PassEnd> {
  const pass = new WorkflowPass(parts);
  const compensations = new Compensations(pass);
  let held: StepWrite | undefined;
  const script = createScriptContext({ pass, compensations, hold: (step) => (held = step) });
  return pass.execute(async () => {
    let result: JsonValue;
    try {
      const value: unknown = await parts.definition.body(script as never);
      result = value === undefined ? null : (JSON.parse(stringifyJson(value, "result")) as JsonValue);
    } catch (thrown) {
      await pass.historyEnds();
      return compensations.fail(thrown);
    }
    await pass.historyEnds();
    // Code that was changed so that it does not fail any more comes too late.
    if (pass.recorded(FAILURE_NAME) !== undefined)
      return compensations.fail(new WorkflowCancelledError(parts.run.runId));
    return { kind: "completed", result, ...(held === undefined ? {} : { step: held }) };
  });
}
