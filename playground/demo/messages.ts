/** What the working process tells the demo. */
export type FromChild =
  /** `enqueue` resolved for this id: from now on the job must not get lost. */
  | { readonly type: "acknowledged"; readonly id: string }
  /** A job ended for good. */
  | { readonly type: "ended"; readonly id: string }
  /** A handler started on a job that an earlier process had already been given. */
  | { readonly type: "redelivered"; readonly id: string }
  /** So many jobs are begun and wait in the middle of their work. */
  | { readonly type: "holding"; readonly jobs: number }
  | { readonly type: "finished" };

/** What the demo tells the working process. */
export type ToChild =
  /** Every job that begins from now on stops in the middle of its work. */
  { readonly type: "hold" };

/** What the working process is started with, as JSON in its first argument. */
export interface ChildTask {
  readonly brokerFile: string;
  readonly backendFile: string;
  /** Ids whose `enqueue` was acknowledged to an earlier process. */
  readonly acknowledged: readonly string[];
  /** Ids that ended in an earlier process. */
  readonly ended: readonly string[];
}
