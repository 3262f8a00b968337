import { InvalidOptionError } from "../errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { checkName } from "./names.ts";
import { checkBoolean, checkDate, checkInteger, checkText } from "./options.ts";

/** Most tasks or queues that one command may name. */
export const MAX_CONTROL_ITEMS = 10_000;

/** Answer of a worker to a ping. Instants are ISO 8601 texts here and below. */
export type PingReply = {
  readonly timestamp: string;
  /** The first queue of its subscription. */
  readonly queue: string | null;
  /** Messages whose tasks have begun and are not settled. */
  readonly inflight: number;
  /** Queues and broadcast channels, paused queues too. */
  readonly subscriptions: readonly string[];
};

/** A task that has begun in a worker and is not settled. */
export type ActiveTask = {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly attempt: number;
  readonly status: "starting" | "running" | "settling";
  /** Absent, with `runtimeMs`, while its handler has not been called. */
  readonly startedAt?: string;
  readonly runtimeMs?: number;
};

/** A worker's settings and counts. */
export type StatsReply = {
  readonly timestamp: string;
  readonly namespace: string;
  readonly queue: string | null;
  /** `null` where the platform does not tell. */
  readonly pid: number | null;
  readonly concurrency: number;
  /** Equal to `concurrency`: workers of this release do not scale by themselves. */
  readonly maxConcurrency: number;
  readonly autoscaleEnabled: false;
  readonly prefetch: number;
  readonly inflight: number;
  /** Messages in flight of each queue. */
  readonly queues: Readonly<Record<string, number>>;
  readonly pausedQueues: readonly string[];
  readonly active: readonly ActiveTask[];
  readonly subscriptions: readonly string[];
  readonly startedAt: string;
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
  /** `null` when no lease was renewed yet. */
  readonly lastLeaseRenewalMsAgo: number | null;
};

/** A revocation as a control message holds it. */
export type RevocationFacts = {
  readonly taskId: string;
  readonly namespace: string;
  readonly version: number;
  readonly issuedAt: string;
  readonly terminate: boolean;
  readonly reason?: string;
  readonly requestedBy?: string;
  readonly expiresAt?: string;
};

/** What a worker does at this moment. */
export type InspectReply = {
  readonly timestamp: string;
  readonly inflight: number;
  readonly active: readonly ActiveTask[];
  readonly pausedQueues: readonly string[];
  /** Revocations in force, newest first, at most 1,000; empty unless asked for. */
  readonly revoked: readonly RevocationFacts[];
  readonly lastLeaseRenewalMsAgo: number | null;
};

/** What became of revocations. */
export type RevokeReply = {
  readonly namespace: string;
  /** How many the command named. */
  readonly tasks: number;
  /** Tasks that are revoked now. */
  readonly revoked: readonly string[];
  /** Those of them that run in this worker, or are being settled. */
  readonly inflight: readonly string[];
  /** Not applied, as a newer entry is there. */
  readonly ignored: readonly string[];
  /** Stored, and not in force, as their time is over. */
  readonly expired: readonly string[];
  readonly latestVersion: number;
  /** Whether a revoke store has them; else this worker alone knows them, as long as it lives. */
  readonly persisted: boolean;
};

/** What became of a pause, or its end. */
export type QueueChangeReply = {
  readonly namespace: string;
  readonly queues: readonly string[];
  /** How many of them this command changed in this worker. */
  readonly updated: number;
  /** Whether a revoke store has it; else it holds for this worker alone, as long as it lives. */
  readonly persisted: boolean;
  /** All paused queues. */
  readonly paused: readonly string[];
};

/** A queue that is not worked on. */
export type PausedQueue = {
  readonly queue: string;
  readonly pausedAt: string;
  readonly reason?: string;
  readonly requestedBy?: string;
};

/** Which queues are paused, and what the worker is subscribed to, paused queues too. */
export type QueueStatusReply = {
  readonly namespace: string;
  readonly paused: readonly PausedQueue[];
  readonly subscriptions: readonly string[];
};

/** The shutdown that begins right after this answer, or was under way. */
export type ShutdownReply = {
  readonly status: "initiated" | "in-progress";
  readonly mode: "warm" | "soft" | "hard";
  /** Messages whose tasks have begun and are not settled. */
  readonly active: number;
};

/** A revocation of a command, checked. */
export interface RevocationRequest {
  readonly taskId: string;
  readonly namespace?: string;
  readonly version?: number;
  readonly issuedAt?: Date;
  readonly terminate: boolean;
  readonly reason?: string;
  readonly requestedBy?: string;
  readonly expiresAt?: Date;
}

/** Reads the payload of a `revoke` command; throws the typed error of the first field that is not as it has to be. */
export function readRevocations(payload: JsonObject): readonly RevocationRequest[] {
  const { revocations, requester, namespace } = payload;
  if (!Array.isArray(revocations) || revocations.length === 0 || revocations.length > MAX_CONTROL_ITEMS) {
    throw new InvalidOptionError("revocations", revocations, `an array of 1 to ${MAX_CONTROL_ITEMS} revocations`);
  }
  return revocations.map((item: JsonValue) => {
    if (item === null || typeof item !== "object" || Array.isArray(item)) {
      throw new InvalidOptionError("revocations", item, "objects with a taskId");
    }
    return readRevocation({
      ...given("requestedBy", requester),
      ...given("namespace", namespace),
      ...withoutNulls(item as JsonObject),
    });
  });
}

function readRevocation(fields: JsonObject): RevocationRequest {
  const { taskId, namespace, version, issuedAt, terminate = false, reason, requestedBy, expiresAt } = fields;
  return {
    taskId: checkName("task id", taskId),
    ...(namespace === undefined ? {} : { namespace: checkName("namespace", namespace) }),
    ...(version === undefined ? {} : { version: checkVersion(version) }),
    ...(issuedAt === undefined ? {} : { issuedAt: dateFrom("issuedAt", issuedAt) }),
    terminate: checkBoolean("terminate", terminate),
    ...(reason === undefined ? {} : { reason: checkText("reason", reason) }),
    ...(requestedBy === undefined ? {} : { requestedBy: checkText("requestedBy", requestedBy) }),
    ...(expiresAt === undefined ? {} : { expiresAt: dateFrom("expiresAt", expiresAt) }),
  };
}

/** A pause, or its end, of a command, checked. */
export interface QueueChangeRequest {
  readonly queues: readonly string[];
  readonly version?: number;
  readonly issuedAt?: Date;
  readonly reason?: string;
  readonly requestedBy?: string;
}

/** Reads the payload of `queue_pause` and `queue_resume`; throws the typed error of the first field that is wrong. */
export function readQueueChange(payload: JsonObject): QueueChangeRequest {
  const {
    queue,
    queues = queue === undefined ? [] : [queue],
    reason,
    requester,
    version,
    issuedAt,
  } = withoutNulls(payload);
  if (!Array.isArray(queues) || queues.length === 0 || queues.length > MAX_CONTROL_ITEMS) {
    throw new InvalidOptionError("queues", queues, `an array of 1 to ${MAX_CONTROL_ITEMS} queue names`);
  }
  return {
    queues: [...new Set(queues.map((name: JsonValue) => checkName("queue", name)))],
    ...(version === undefined ? {} : { version: checkVersion(version) }),
    ...(issuedAt === undefined ? {} : { issuedAt: dateFrom("issuedAt", issuedAt) }),
    ...(reason === undefined ? {} : { reason: checkText("reason", reason) }),
    ...(requester === undefined ? {} : { requestedBy: checkText("requester", requester) }),
  };
}

function checkVersion(version: JsonValue): number {
  return checkInteger("version", version, { min: 0, max: Number.MAX_SAFE_INTEGER });
}

function dateFrom(field: string, value: JsonValue): Date {
  return checkDate(field, typeof value === "string" ? new Date(value) : value);
}

function given(name: string, value: JsonValue | undefined): JsonObject {
  return value === undefined || value === null ? {} : { [name]: value };
}

/** Null means absent in a message. */
function withoutNulls(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
