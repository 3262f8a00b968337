import { buildEnvelope, type Envelope } from "./envelope.ts";

/** Why a run goes on. */
export type ContinuationReason = "start" | "due" | "event" | "manual" | "replay" | "recovery";

/**
 * The message that has a worker go on with a run. A run that has not ended has exactly one that counts, the one of its
 * present number; whoever comes with an earlier one finds it stale. It is stored in the transaction of the change
 * that makes it necessary, so that no crash parts the two.
 */
export interface Continuation {
  readonly runId: string;
  /** Rises with each continuation of the run, from 1. */
  readonly number: number;
  readonly reason: ContinuationReason;
  readonly workflow: string;
  readonly queue: string;
  /** Earliest delivery. */
  readonly notBefore?: Date;
}

/** Name of the task that goes on with a run. */
export const RUN_TASK = "stem.workflow.run";
/** Name of the task that tells a run of the end of a task it waits for. */
export const TASK_ENDED_TASK = "stem.workflow.taskEnded";
/** Retries of the message itself: for faults of the stores only, as steps have retries of their own. */
const MESSAGE_RETRIES = 20;

/** Keys of a continuation's meta. */
export const WORKFLOW_META_KEYS = {
  channel: "stem.workflow.channel",
  name: "stem.workflow.name",
  runId: "stem.workflow.runId",
  continuation: "stem.workflow.continuation",
  continuationReason: "stem.workflow.continuationReason",
  step: "stem.workflow.step",
  iteration: "stem.workflow.iteration",
} as const;

/** Id of the message of one continuation; the same however often it is made. */
export function continuationId(runId: string, number: number): string {
  return `${runId}:${number}`;
}

/** The message of a continuation, made at `now`. */
export function continuationEnvelope(continuation: Continuation, now: number): Envelope {
  const { runId, number, reason, workflow, queue, notBefore } = continuation;
  const id = continuationId(runId, number);
  return buildEnvelope(
    {
      id,
      name: RUN_TASK,
      queue,
      args: { runId, continuation: number },
      maxRetries: MESSAGE_RETRIES,
      meta: {
        [WORKFLOW_META_KEYS.channel]: "orchestration",
        [WORKFLOW_META_KEYS.name]: workflow,
        [WORKFLOW_META_KEYS.runId]: runId,
        [WORKFLOW_META_KEYS.continuation]: number,
        [WORKFLOW_META_KEYS.continuationReason]: reason,
      },
      ...(notBefore === undefined ? {} : { notBefore }),
    },
    id,
    now,
  );
}
