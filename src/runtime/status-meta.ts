import type { Envelope } from "../core/envelope.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";

/**
 * The meta of a status: what the message carries, with the facts about the run in `facts` over it. Own entries are
 * laid down first and written once more at the end, as V8 takes fifty times as long to add to the copy of an object.
 */
export function statusMeta(envelope: Envelope, facts: JsonObject): JsonObject {
  const { name, queue, maxRetries } = envelope;
  const meta: Record<string, JsonValue> = { task: name, queue, maxRetries, ...facts, ...envelope.meta };
  meta["task"] = name;
  meta["queue"] = queue;
  meta["maxRetries"] = maxRetries;
  for (const key of Object.keys(facts)) meta[key] = facts[key] as JsonValue;
  return meta;
}
