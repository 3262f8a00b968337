import { buildEnvelope, type Envelope } from "../core/envelope.ts";
import type { Continuation } from "./workflow-store.ts";

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
