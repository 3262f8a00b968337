/** `asked` before a call, `done` once it was acknowledged, `failed` with the code of its error. */
export type Phase = "asked" | "done" | "failed";

/** What identifies the content of a published message. */
export interface PublishedJob {
  readonly id: string;
  readonly body: string;
}

/** One line of a program's log. Lines are in the order in which the program saw things happen. */
export type Step =
  | { readonly f: "publish"; readonly phase: Phase; readonly jobs: readonly PublishedJob[]; readonly code?: string }
  | {
      readonly f: "deliver";
      readonly id: string;
      readonly body: string;
      readonly attempt: number;
      readonly token: number;
      readonly deliveries: number;
    }
  | {
      readonly f: "ack" | "deadLetter" | "requeue" | "extendLease";
      readonly phase: Phase;
      readonly id: string;
      readonly code?: string;
    }
  | {
      readonly f: "retry";
      readonly phase: Phase;
      readonly id: string;
      readonly attempt: number;
      readonly code?: string;
    }
  | {
      readonly f: "result";
      readonly phase: Phase;
      readonly id: string;
      readonly value: string;
      /** With `done`: whether the backend took the write. */
      readonly stored?: boolean;
      readonly code?: string;
    }
  /** The process was killed; what it had asked and not seen acknowledged may or may not have happened. */
  | { readonly f: "kill" };

/** What was left once the queue had been drained, read by the checker's own process. */
export interface FinalState {
  readonly dead: readonly (PublishedJob & { readonly reason?: string })[];
  /** Stored results of every task id in the history; absent ids have none. */
  readonly results: ReadonlyMap<string, string>;
  /** Messages still in the queue after the drain. */
  readonly waiting: number;
}
