// Queues under test
export type { DrainOptions, DrainSummary, TestQueue } from "./test-queue.ts";
export type { TestQueueOptions, TestStore } from "./test-queue-options.ts";
export type { EnqueuedFilter } from "./enqueue-record.ts";

// Queues in pages under test
export {
  type EvaluatingPage,
  type ExposedQueue,
  exposeQueue,
  type PageCall,
  type PageCounts,
  type PageQueue,
  type PageWaitOptions,
  queueIn,
} from "./page-queue.ts";

// Parts
export { FakeClock } from "./fake-clock.ts";
export { type LogRecord, RecordingLogger } from "./recording-logger.ts";
export { createSeededRandomness } from "./seeded-randomness.ts";
export { createSequentialIds } from "./sequential-ids.ts";
