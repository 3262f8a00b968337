import type { JsonObject, JsonValue } from "../../src/core/json.ts";

/** What a run of an example is started with. */
export interface ExampleRun {
  readonly workflow: string;
  readonly params?: JsonObject;
  /** Sent to the run, whether or not it waits for them yet. */
  readonly events?: readonly Readonly<{ topic: (runId: string) => string; payload: JsonValue }>[];
}

/** The examples of workflows by file name, each as it is run where processes end. */
export const EXAMPLE_RUNS: Readonly<Record<string, ExampleRun>> = {
  "16-workflow-store": { workflow: "sqlite.example" },
  "17-onboarding": { workflow: "onboarding", params: { name: "ada" } },
  "18-saga": { workflow: "trip" },
  "19-approval": {
    workflow: "expense",
    params: { amount: 10, patience: 86_400_000 },
    events: [{ topic: (runId) => `expense.decided/${runId}`, payload: { ok: true, by: "grace" } }],
  },
  "20-fan-out": { workflow: "sum-of-squares", params: { count: 4 } },
};
