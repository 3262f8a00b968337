import type { TaskStatus, WorkerHeartbeat } from "../../src/contracts/result-backend.ts";
import { type JsonValue, stringifyJsonWithin, stringifyObjectWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkDate, checkInteger, checkOneOf, checkText } from "../../src/core/options.ts";
import { encodeTaskError } from "../../src/core/task-error.ts";
import { TASK_STATES } from "../../src/core/task-state.ts";

/** Bounds of counters such as `attempt` and `offset`. */
export const COUNT: Readonly<{ min: number; max: number }> = { min: 0, max: Number.MAX_SAFE_INTEGER };
/** Bounds of every `limit`. */
export const LIMIT = { min: 0, max: 10_000 } as const;

/** Serialises a status after checking it; payload, error and meta may take `maxBytes` each. */
export function encodeStatus(status: TaskStatus, maxBytes: number): string {
  const parts = [
    `"id":${JSON.stringify(checkName("task id", status.id))}`,
    `"state":"${checkOneOf("state", status.state, TASK_STATES)}"`,
    `"attempt":${checkInteger("attempt", status.attempt, COUNT)}`,
  ];
  if (status.payload !== undefined) parts.push(`"payload":${stringifyJsonWithin(status.payload, "payload", maxBytes)}`);
  if (status.error !== undefined) parts.push(`"error":${encodeTaskError(status.error, maxBytes)}`);
  parts.push(`"meta":${stringifyObjectWithin(status.meta, "meta", maxBytes)}`);
  return `{${parts.join(",")}}`;
}

/** Serialises a heartbeat without its dates, after checking all of it. */
export function encodeHeartbeat(heartbeat: WorkerHeartbeat, maxBytes: number): string {
  checkDate("timestamp", heartbeat.timestamp);
  if (heartbeat.lastLeaseRenewal !== undefined) checkDate("lastLeaseRenewal", heartbeat.lastLeaseRenewal);
  const plain = {
    workerId: checkName("worker", heartbeat.workerId),
    namespace: checkName("namespace", heartbeat.namespace),
    isolateCount: checkInteger("isolateCount", heartbeat.isolateCount, COUNT),
    inflight: checkInteger("inflight", heartbeat.inflight, COUNT),
    queues: heartbeat.queues.map((queue) => ({
      name: checkName("queue", queue.name),
      inflight: checkInteger("queues.inflight", queue.inflight, COUNT),
    })),
    version: checkText("version", heartbeat.version),
    extras: heartbeat.extras,
  };
  stringifyObjectWithin(heartbeat.extras, "extras", maxBytes);
  return stringifyJsonWithin(plain, "heartbeat", maxBytes);
}

/** Deep equality of JSON values; the order of keys does not count. */
export function isEqualJson(one: JsonValue, other: JsonValue): boolean {
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const left = Object.entries(one);
  const right = new Map<string, JsonValue>(Object.entries(other));
  return (
    left.length === right.size &&
    left.every(([key, value]) => {
      const counterpart = right.get(key);
      return counterpart !== undefined && isEqualJson(value, counterpart);
    })
  );
}
