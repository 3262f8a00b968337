import type { QueueChangeRequest } from "../core/control-payloads.ts";
import { checkName } from "../core/names.ts";
import { checkText } from "../core/options.ts";
import { checkKnown } from "./check-ports.ts";

/** Facts that go with a pause, or its end, and are shown to whoever asks. */
export interface PauseOptions {
  readonly reason?: string;
  readonly requestedBy?: string;
}

/** How far a pause, or its end, reaches. */
export interface PauseReceipt {
  /** Whether the revoke store has it; without one it holds for this worker alone, as long as it lives. */
  readonly persisted: boolean;
}

const KNOWN: ReadonlySet<string> = new Set(["reason", "requestedBy"]);

/** Checks what `pauseQueue` and `resumeQueue` were given. */
export function queueChangeOf(queue: string, options: PauseOptions): QueueChangeRequest {
  checkKnown("", options, KNOWN);
  const { reason, requestedBy } = options;
  return {
    queues: [checkName("queue", queue)],
    ...(reason === undefined ? {} : { reason: checkText("reason", reason) }),
    ...(requestedBy === undefined ? {} : { requestedBy: checkText("requestedBy", requestedBy) }),
  };
}
