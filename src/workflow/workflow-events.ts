import type { TaskError } from "../contracts/result-backend.ts";

/** What each type of event says, beside the run it is about. */
export interface WorkflowEventFacts {
  readonly started: object;
  /** The run goes on after it was suspended. */
  readonly resumed: object;
  readonly suspended: { readonly resumeAt?: Date };
  readonly completed: object;
  readonly failed: { readonly error: TaskError };
  readonly cancelled: { readonly reason: string };
  readonly "step-started": { readonly step: string; readonly attempt: number };
  /** `replayed`: it was recorded before. */
  readonly "step-completed": { readonly step: string; readonly replayed: boolean };
  readonly "step-retrying": {
    readonly step: string;
    readonly error: TaskError;
    readonly attempt: number;
    readonly resumeAt: Date;
  };
  readonly "step-failed": { readonly step: string; readonly error: TaskError };
  /** The run was taken over, cancelled or rewound while it was worked on here. */
  readonly "lease-lost": object;
}

export type WorkflowEventType = keyof WorkflowEventFacts;
/** What happened, without where and when. */
export type WorkflowEventInput = {
  [T in WorkflowEventType]: { readonly type: T } & WorkflowEventFacts[T];
}[WorkflowEventType];
/** Something that happened to a run in one runtime. */
export type WorkflowEvent = WorkflowEventInput & {
  readonly runId: string;
  readonly workflow: string;
  readonly at: Date;
};
export type WorkflowEventOf<T extends WorkflowEventType> = Extract<WorkflowEvent, { readonly type: T }>;
/** What it returns is ignored; what it throws, now or later, is logged and changes nothing. */
export type WorkflowEventListener<T extends WorkflowEventType> = (event: WorkflowEventOf<T>) => unknown;
