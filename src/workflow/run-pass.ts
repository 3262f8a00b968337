import type { StepWrite } from "../contracts/workflow-store.ts";
import { type JsonValue, stringifyJson } from "../core/json.ts";
import { Compensations } from "./compensations.ts";
import type { PassEnd, PassParts } from "./pass-parts.ts";
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
      const value: unknown = await Promise.race([parts.definition.body(script as never), pass.givenUp]);
      result = value === undefined ? null : (JSON.parse(stringifyJson(value, "result")) as JsonValue);
      await pass.historyEnds();
      // Code that would end well, in a run that has failed or is to be cancelled, comes too late.
      pass.checkGoingOn();
    } catch (thrown) {
      await pass.historyEnds();
      return compensations.fail(thrown);
    }
    try {
      await pass.complete(result, held);
    } catch (thrown) {
      return compensations.fail(thrown);
    }
    return { kind: "completed" };
  });
}
