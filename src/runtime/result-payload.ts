import { type JsonObject, type JsonValue, stringifyJson } from "../core/json.ts";
import { META_KEYS } from "../core/reserved-keys.ts";

/**
 * What is stored for a handler's result: null for nothing, or when `meta` says that it is ignored. Throws
 * `PayloadNotSerializableError` for what has no JSON form. Texts are checked where they are stored.
 */
export function toPayload(meta: JsonObject, result: unknown): JsonValue {
  if (result === undefined || meta[META_KEYS.ignoreResult] === true) return null;
  if (typeof result !== "string" && result !== null) stringifyJson(result, "result");
  return result as JsonValue;
}
