import { defineTask, type Task } from "stem-sqlite";

/** The queue of all tasks of this example. */
export const MIXED_QUEUE = "task-context-mixed";

/** What an audit entry says. */
export interface AuditArgs {
  readonly runId: string;
  readonly message: string;
}

/** In a module of its own, so that the modules of isolated tasks can enqueue it with its types. */
export const audit: Task<AuditArgs, void> = defineTask<AuditArgs>(
  "demo.audit",
  ({ id }, { runId, message }) => console.log(`[audit] id=${id} runId=${runId} message=${message}`),
  { queue: MIXED_QUEUE },
);
