import type { ControlCommand } from "../core/control-message.ts";
import {
  type InspectReply,
  type QueueChangeReply,
  type QueueStatusReply,
  readQueueChange,
  readRevocations,
  type ShutdownReply,
} from "../core/control-payloads.ts";
import type { JsonObject } from "../core/json.ts";
import { checkBoolean } from "../core/options.ts";
import { InvalidOptionError } from "../errors.ts";
import { type ControlRevocationsParts, revocationsInForce, revokeByControl } from "./control-revocations.ts";
import type { ShutdownMode } from "./os-signals.ts";
import {
  activeTasks,
  pingReply,
  revocationFacts,
  sinceLastRenewal,
  statsReply,
  subscriptionsOf,
  type WorkerFacts,
} from "./worker-snapshot.ts";

/** Most revocations in one answer. */
const MAX_REVOKED_SHOWN = 1_000;

const MODES: ReadonlyMap<unknown, ShutdownMode> = new Map([
  ["hard", "hard"],
  ["force", "hard"],
  ["soft", "soft"],
  ["warm", "warm"],
  ["graceful", "warm"],
]);

/** What commands act on. */
export interface ControlledWorker {
  /** As of this moment. */
  readonly facts: () => WorkerFacts;
  readonly revocations: ControlRevocationsParts;
  /** Fires when the worker begins to stop. */
  readonly stopping: AbortSignal;
  /** Resolves when the not begun messages of paused queues are back. */
  readonly settled: () => Promise<void>;
  readonly shutdown: (mode: ShutdownMode) => void;
}

/** An answer, and what is to happen once it was sent. */
export interface ControlOutcome {
  readonly payload: JsonObject;
  readonly afterwards?: () => void;
}

/** Does what a command says. Throws the typed error of what is wrong with it, `undefined` for a type nobody knows. */
export async function runControlCommand(
  { type, payload }: ControlCommand,
  worker: ControlledWorker,
): Promise<ControlOutcome | undefined> {
  switch (type) {
    case "ping":
      return { payload: pingReply(worker.facts()) };
    case "stats":
      return { payload: statsReply(worker.facts()) };
    case "inspect":
      return { payload: await inspect(payload, worker) };
    case "revoke":
      return { payload: await revokeByControl(readRevocations(payload), worker.revocations) };
    case "queue_pause":
      return { payload: await changeQueues(payload, true, worker) };
    case "queue_resume":
      return { payload: await changeQueues(payload, false, worker) };
    case "queue_status":
      return { payload: queueStatus(worker) };
    case "shutdown":
      return beginShutdown(payload, worker);
    default:
      return undefined;
  }
}

async function inspect(payload: JsonObject, worker: ControlledWorker): Promise<InspectReply> {
  const includeRevoked = checkBoolean("includeRevoked", payload["includeRevoked"] ?? true);
  const revoked = includeRevoked ? await revocationsInForce(worker.revocations, MAX_REVOKED_SHOWN) : [];
  const facts = worker.facts();
  const { timestamp, inflight } = pingReply(facts);
  return {
    timestamp,
    inflight,
    active: activeTasks(facts),
    pausedQueues: facts.pauses.names,
    revoked: revoked.map(revocationFacts),
    lastLeaseRenewalMsAgo: sinceLastRenewal(facts),
  };
}

async function changeQueues(
  payload: JsonObject,
  isPaused: boolean,
  worker: ControlledWorker,
): Promise<QueueChangeReply> {
  const request = readQueueChange(payload);
  const { pauses } = worker.facts();
  const changed = await pauses.change(request, isPaused);
  await worker.settled();
  return {
    namespace: worker.revocations.namespace,
    queues: request.queues,
    updated: changed.length,
    persisted: pauses.isDurable,
    paused: pauses.names,
  };
}

function queueStatus({ facts, revocations }: ControlledWorker): QueueStatusReply {
  const { options, pauses } = facts();
  return {
    namespace: revocations.namespace,
    paused: pauses.entries.map(({ taskId, issuedAt, reason, requestedBy }) => ({
      queue: taskId,
      pausedAt: issuedAt.toISOString(),
      ...(reason === undefined ? {} : { reason }),
      ...(requestedBy === undefined ? {} : { requestedBy }),
    })),
    subscriptions: subscriptionsOf(options),
  };
}

function beginShutdown(payload: JsonObject, { facts, stopping, shutdown }: ControlledWorker): ControlOutcome {
  const mode = MODES.get(payload["mode"] ?? "warm");
  if (mode === undefined) {
    throw new InvalidOptionError("mode", payload["mode"], `one of ${[...MODES.keys()].join(", ")}`);
  }
  const status = stopping.aborted ? "in-progress" : "initiated";
  const reply: ShutdownReply = { status, mode, active: facts().pool.held.size };
  return { payload: reply, afterwards: () => shutdown(mode) };
}
