import type { Envelope } from "../core/envelope.ts";
import type { JsonObject } from "../core/json.ts";
import { META_KEYS } from "../core/reserved-keys.ts";

/** The meta entries that tell where a task comes from; a root that `meta`, its own, names already is kept. */
export function lineageOf(parent: Envelope, meta: JsonObject | undefined): JsonObject {
  return {
    [META_KEYS.parentTaskId]: parent.id,
    [META_KEYS.parentAttempt]: parent.attempt,
    [META_KEYS.rootTaskId]: meta?.[META_KEYS.rootTaskId] ?? parent.meta[META_KEYS.rootTaskId] ?? parent.id,
  };
}
