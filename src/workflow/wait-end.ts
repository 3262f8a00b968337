import type { WaitEnd, WorkflowStepEntry } from "../core/workflow-model.ts";
import type { ResumeData } from "./workflow-definition.ts";

/** What is recorded of a wait. */
export function waitEndOf(entry: WorkflowStepEntry): WaitEnd {
  return entry.value as unknown as WaitEnd;
}

/** What the code that waited is told. */
export function resumeDataOf(entry: WorkflowStepEntry): ResumeData {
  const end = waitEndOf(entry);
  const { data = {} } = end;
  if (end.outcome === "event") return { kind: "event", payload: end.payload, data };
  return { kind: end.outcome === "due" ? "timer" : "deadline", data };
}
