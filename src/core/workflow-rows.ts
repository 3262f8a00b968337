import type { JsonObject, JsonValue } from "./json.ts";
import type { WorkflowStatus } from "./workflow-status.ts";
import type { StorableError as TaskError } from "./task-error.ts";
import type {
  CheckpointKind,
  RunState,
  WaitKind,
  WorkflowCancellationPolicy,
  WorkflowQueues,
  WorkflowStepEntry,
  WorkflowWait,
} from "./workflow-model.ts";

/** A run as a store keeps it: instants in epoch milliseconds, values as JSON. */
export interface RunRow {
  readonly runId: string;
  readonly workflow: string;
  readonly version: number;
  readonly status: WorkflowStatus;
  readonly params: string;
  readonly metadata: string;
  readonly queues: string;
  readonly result: string | null;
  readonly lastError: string | null;
  readonly parentRunId: string | null;
  readonly policy: string | null;
  readonly cancellation: string | null;
  /** A value of {@link CANCEL}. */
  readonly cancelRequested: number;
  readonly rewinds: number;
  readonly continuation: number;
  readonly continuationAt: number | null;
  readonly ownerId: string | null;
  readonly leaseUntil: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly suspendedAt: number | null;
  readonly endedAt: number | null;
}

/** A checkpoint as a store keeps it. */
export interface StepRow {
  readonly name: string;
  readonly baseName: string;
  readonly iteration: number | null;
  readonly kind: CheckpointKind;
  readonly value: string;
  readonly error: string | null;
  readonly attempts: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A wait as a store keeps it. */
export interface WaitRow {
  readonly step: string;
  readonly kind: WaitKind;
  readonly topic: string | null;
  readonly resumeAt: number | null;
  readonly expected: number | null;
  readonly attempts: number | null;
  readonly error: string | null;
  readonly data: string | null;
  readonly createdAt: number;
}

/** Reads a stored run; each call makes new objects. `waits` come in the order in which they are shown. */
export function toRunState(row: RunRow, cursor: number, waits: readonly WaitRow[]): RunState {
  return {
    runId: row.runId,
    workflow: row.workflow,
    version: row.version,
    status: row.status,
    cursor,
    params: JSON.parse(row.params) as JsonObject,
    metadata: JSON.parse(row.metadata) as JsonObject,
    queues: JSON.parse(row.queues) as WorkflowQueues,
    ...(row.result === null ? {} : { result: JSON.parse(row.result) as JsonValue }),
    ...(row.lastError === null ? {} : { lastError: JSON.parse(row.lastError) as TaskError }),
    waits: row.status === "suspended" ? waits.map(toWait) : [],
    ...(row.parentRunId === null ? {} : { parentRunId: row.parentRunId }),
    ...(row.policy === null ? {} : { cancellationPolicy: JSON.parse(row.policy) as WorkflowCancellationPolicy }),
    ...(row.cancellation === null ? {} : { cancellationData: JSON.parse(row.cancellation) as JsonObject }),
    ...(row.cancelRequested === 0 ? {} : { cancelRequested: true }),
    rewinds: row.rewinds,
    continuation: row.continuation,
    ...dates({ continuationAt: row.continuationAt }),
    ...(row.ownerId === null ? {} : { ownerId: row.ownerId }),
    ...dates({ leaseExpiresAt: row.leaseUntil }),
    createdAt: new Date(row.createdAt),
    updatedAt: new Date(row.updatedAt),
    ...dates({ suspendedAt: row.suspendedAt, endedAt: row.endedAt }),
  };
}

/** Reads the stored checkpoints of a run, which come in the order of their positions. */
export function toStepEntries(rows: readonly StepRow[]): WorkflowStepEntry[] {
  return rows.map((row, position) => ({
    name: row.name,
    baseName: row.baseName,
    ...(row.iteration === null ? {} : { iteration: row.iteration }),
    position,
    kind: row.kind,
    value: JSON.parse(row.value) as JsonValue,
    ...(row.error === null ? {} : { error: JSON.parse(row.error) as TaskError }),
    attempts: row.attempts,
    startedAt: new Date(row.startedAt),
    endedAt: new Date(row.endedAt),
  }));
}

/** Reads a stored wait. */
export function toWait(row: WaitRow): WorkflowWait {
  return {
    step: row.step,
    kind: row.kind,
    ...(row.topic === null ? {} : { topic: row.topic }),
    ...dates({ resumeAt: row.resumeAt }),
    ...(row.expected === null ? {} : { expected: row.expected }),
    ...(row.attempts === null ? {} : { attempts: row.attempts }),
    ...(row.error === null ? {} : { error: JSON.parse(row.error) as TaskError }),
    ...(row.data === null ? {} : { data: JSON.parse(row.data) as JsonObject }),
    createdAt: new Date(row.createdAt),
  };
}

/** Number of different steps among checkpoints. */
export function countSteps(rows: readonly Pick<StepRow, "baseName">[]): number {
  return new Set(rows.map(({ baseName }) => baseName)).size;
}

/** The limits of a run, of its stored text. */
export function readPolicy(policy: string | null): WorkflowCancellationPolicy {
  return policy === null ? {} : (JSON.parse(policy) as WorkflowCancellationPolicy);
}

/** Those instants that are there, as dates. */
function dates<Name extends string>(instants: Readonly<Record<Name, number | null>>): { [Key in Name]?: Date } {
  const found: { [Key in Name]?: Date } = {};
  for (const name of Object.keys(instants) as Name[]) {
    const instant = instants[name];
    if (instant !== null) found[name] = new Date(instant);
  }
  return found;
}
