import type { JsonObject, JsonValue } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkInteger } from "../core/options.ts";

/** Names a workflow with the types of its parameters and its result, without its code. */
export interface WorkflowRef<Params extends object = JsonObject, Result = unknown> {
  readonly name: string;
  /** @defaultValue the greatest version that is registered where the run is started */
  readonly version?: number;
  /** For the compiler only. */
  readonly types?: Readonly<{ params: Params; result: Result }>;
}

/** Names a topic of events with the type of their payload. */
export interface WorkflowEventRef<Payload extends JsonValue = JsonValue> {
  readonly topic: string;
  /** For the compiler only. */
  readonly types?: Readonly<{ payload: Payload }>;
}

/** Refers to a workflow whose code is elsewhere. Throws `InvalidNameError`. */
export function defineWorkflowRef<Params extends object = JsonObject, Result = unknown>(
  name: string,
  options: Readonly<{ version?: number }> = {},
): WorkflowRef<Params, Result> {
  checkName("workflow", name);
  const { version } = options;
  return Object.freeze({ name, ...(version === undefined ? {} : { version: checkVersion(version) }) });
}

/** Names a topic. Throws `InvalidNameError`. */
export function defineWorkflowEvent<Payload extends JsonValue = JsonValue>(topic: string): WorkflowEventRef<Payload> {
  return Object.freeze({ topic: checkName("topic", topic) });
}

/** The topic that a name or a reference means. */
export function topicOf(topic: string | WorkflowEventRef): string {
  return checkName("topic", typeof topic === "object" && topic !== null ? topic.topic : topic);
}

/** Returns `version` when it can be one: a whole number from 1. */
export function checkVersion(version: unknown): number {
  return checkInteger("version", version, { min: 1, max: 1_000_000_000 });
}
