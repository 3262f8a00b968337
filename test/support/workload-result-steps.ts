import { NAMESPACES, type WorkloadScope, type WorkloadStep } from "./workload-step.ts";

const STATES = ["queued", "running", "succeeded", "failed"] as const;
const KEPT_MS = 40_000;

/** Everything a result backend and a revocation store are asked to do. */
export const RESULT_STEPS: readonly WorkloadStep[] = [
  { name: "setStatus", weight: 4, run: setStatus },
  { name: "expireStatus", weight: 0.5, run: expireStatus },
  { name: "initGroup", weight: 1, run: initGroup },
  { name: "addGroupResult", weight: 2, run: addGroupResult },
  { name: "claimChord", weight: 1, run: claimChord },
  { name: "setHeartbeat", weight: 1, run: setHeartbeat },
  { name: "removeHeartbeat", weight: 0.3, run: removeHeartbeat },
  { name: "upsertRevocations", weight: 1, run: upsertRevocations },
  { name: "pruneRevocations", weight: 0.3, run: pruneRevocations },
  { name: "sweepResults", weight: 0.7, run: sweepResults },
];

async function setStatus({ session }: WorkloadScope): Promise<void> {
  const write = {
    id: `task-${session.integer(0, 20)}`,
    state: session.pick(STATES),
    attempt: session.integer(0, 3),
    payload: session.chance(0.5) ? JSON.stringify("r".repeat(session.integer(0, 400))) : null,
    error: null,
    meta: `{"queue":"q0"}`,
    fence: null,
    queue: "q0",
    ttl: session.integer(1_000, KEPT_MS),
  };
  await session.call("setStatus", { namespace: session.pick(NAMESPACES), write });
}

async function expireStatus({ session }: WorkloadScope): Promise<void> {
  const id = `task-${session.integer(0, 20)}`;
  await session.call("expireStatus", { namespace: session.pick(NAMESPACES), id, ttl: session.integer(0, KEPT_MS) });
}

async function initGroup({ session }: WorkloadScope): Promise<void> {
  await session.call("initGroup", { ...groupRef(session), expected: 3, meta: "{}", ttl: KEPT_MS });
}

async function addGroupResult({ session }: WorkloadScope): Promise<void> {
  const result = { taskId: `task-${session.integer(0, 5)}`, status: `{"state":"succeeded"}` };
  await session.call("addGroupResult", { ...groupRef(session), result });
}

async function claimChord({ session }: WorkloadScope): Promise<void> {
  await session.call("claimChord", { ...groupRef(session), callbackTaskId: "callback", dispatchedAt: null });
}

async function setHeartbeat({ session }: WorkloadScope): Promise<void> {
  const heartbeat = `{"at":${session.clock.now()}}`;
  await session.call("setHeartbeat", { ...workerRef(session), heartbeat, ttl: KEPT_MS });
}

async function removeHeartbeat({ session }: WorkloadScope): Promise<void> {
  await session.call("removeHeartbeat", workerRef(session));
}

async function upsertRevocations({ session }: WorkloadScope): Promise<void> {
  const issuedAt = session.clock.now();
  const rows = Array.from({ length: session.integer(1, 4) }, () => ({
    namespace: session.pick(NAMESPACES),
    taskId: `task-${session.integer(0, 20)}`,
    version: issuedAt,
    issuedAt,
    terminate: session.integer(0, 1),
    reason: null,
    requestedBy: null,
    expiresAt: issuedAt + session.integer(1_000, KEPT_MS),
  }));
  await session.call("upsertRevocations", rows);
}

async function pruneRevocations({ session }: WorkloadScope): Promise<void> {
  await session.call("pruneRevocations", { namespace: session.pick(NAMESPACES), clock: session.clock.now() });
}

async function sweepResults({ session }: WorkloadScope): Promise<void> {
  await session.call("sweepResults", {});
}

function groupRef(session: WorkloadScope["session"]): Readonly<{ namespace: string; groupId: string }> {
  return { namespace: session.pick(NAMESPACES), groupId: `group-${session.integer(0, 3)}` };
}

function workerRef(session: WorkloadScope["session"]): Readonly<{ namespace: string; workerId: string }> {
  return { namespace: session.pick(NAMESPACES), workerId: `worker-${session.integer(0, 3)}` };
}
