import type { WorkflowStepEntry } from "../contracts/workflow-store.ts";
import type { TaskError } from "../contracts/result-backend.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { ResumeData } from "./workflow-definition.ts";

/** How a wait has ended, as the store records it. */
export type StoredWaitEnd = Readonly<{ data?: JsonObject }> &
  (
    | Readonly<{ outcome: "due" }>
    | Readonly<{ outcome: "deadline" }>
    | Readonly<{ outcome: "event"; payload: JsonValue }>
    | Readonly<{ outcome: "child"; status: string; result?: JsonValue; error?: TaskError }>
    | Readonly<{ outcome: "tasks"; ends: readonly Readonly<{ value: JsonValue; error?: TaskError }>[] }>
  );

/** What is recorded of a wait. */
export function waitEndOf(entry: WorkflowStepEntry): StoredWaitEnd {
  return entry.value as unknown as StoredWaitEnd;
}

/** What the code that waited is told. */
export function resumeDataOf(entry: WorkflowStepEntry): ResumeData {
  const end = waitEndOf(entry);
  const { data = {} } = end;
  if (end.outcome === "event") return { kind: "event", payload: end.payload, data };
  return { kind: end.outcome === "due" ? "timer" : "deadline", data };
}
