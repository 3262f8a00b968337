/** What the test tells each of its processes. */
export interface SharedWorkSettings {
  readonly ownerTimeout: number;
  readonly leaseMs: number;
  readonly maxDeliveries: number;
  /** Longest pause between two publishes of one publisher. */
  readonly publishPauseMs: number;
  /** One delivery in so many ends the process that got it. */
  readonly exitOnceIn: number;
}

/** The queues that all processes share. */
export const QUEUES = ["left", "right"] as const;
/** The broadcast channel that all processes listen to. */
export const CHANNEL = "news";
