import type { WorkerHeartbeat } from "../../src/contracts/result-backend.ts";
import { stringifyJsonWithin, stringifyObjectWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkDate, checkInteger, checkText } from "../../src/core/options.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { COUNT, parseStored } from "./status-json.ts";

type StoredHeartbeat = Omit<WorkerHeartbeat, "timestamp" | "lastLeaseRenewal"> &
  Readonly<{ timestamp: number; lastLeaseRenewal?: number }>;

/** Checks and encodes a heartbeat, its dates as epoch milliseconds. */
export function encodeHeartbeat(heartbeat: WorkerHeartbeat, maxBytes: number): string {
  if (heartbeat === null || typeof heartbeat !== "object") {
    throw new InvalidOptionError("heartbeat", heartbeat, "a worker heartbeat");
  }
  const { queues, lastLeaseRenewal, extras } = heartbeat;
  if (!Array.isArray(queues)) throw new InvalidOptionError("queues", queues, "an array");
  const stored: StoredHeartbeat = {
    workerId: checkName("worker", heartbeat.workerId),
    namespace: checkName("namespace", heartbeat.namespace),
    timestamp: checkDate("timestamp", heartbeat.timestamp).getTime(),
    isolateCount: checkInteger("isolateCount", heartbeat.isolateCount, COUNT),
    inflight: checkInteger("inflight", heartbeat.inflight, COUNT),
    queues: heartbeat.queues.map((queue) => ({
      name: checkName("queue", queue.name),
      inflight: checkInteger("queues.inflight", queue.inflight, COUNT),
    })),
    ...(lastLeaseRenewal === undefined
      ? {}
      : { lastLeaseRenewal: checkDate("lastLeaseRenewal", lastLeaseRenewal).getTime() }),
    version: checkText("version", heartbeat.version),
    extras,
  };
  stringifyObjectWithin(extras, "extras", maxBytes);
  return stringifyJsonWithin(stored, "heartbeat", maxBytes);
}

/** Reads a stored heartbeat. */
export function decodeHeartbeat(text: string): WorkerHeartbeat {
  const { timestamp, lastLeaseRenewal, ...rest } = parseStored<StoredHeartbeat>(text);
  return {
    ...rest,
    timestamp: new Date(timestamp),
    ...(lastLeaseRenewal === undefined ? {} : { lastLeaseRenewal: new Date(lastLeaseRenewal) }),
  };
}
