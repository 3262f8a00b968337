// Producers
export { Stem, type StemOptions, type WaitOptions } from "./runtime/stem.ts";
export { defineTask, type Task, type TaskCall, type TaskEnqueueExtras } from "./runtime/define-task.ts";
export { defineIsolatedTask, type IsolatedTaskOptions } from "./runtime/define-isolated-task.ts";
export { TaskRegistry } from "./runtime/task-registry.ts";
export type { StoredResult, TaskResult } from "./runtime/task-result.ts";
export type * from "./contracts/task-enqueuer.ts";

// Workers
export { Worker, type RunSummary } from "./runtime/worker.ts";
export type { WorkerLifecycle, WorkerOptions } from "./runtime/worker-options.ts";
export type * from "./runtime/worker-events.ts";
export type { ShutdownMode, SignalSource } from "./runtime/os-signals.ts";
export type { PauseOptions, PauseReceipt } from "./runtime/queue-change.ts";
export { generateRevokeVersion } from "./runtime/revoke-version.ts";

// Control of workers
export {
  type ControlNote,
  type ControlReply,
  WorkerControl,
  type WorkerControlOptions,
} from "./runtime/worker-control.ts";
export type { ControlRequestOptions, RevokeTarget } from "./runtime/control-options.ts";
export type {
  ActiveTask,
  InspectReply,
  PausedQueue,
  PingReply,
  QueueChangeReply,
  QueueStatusReply,
  RevocationFacts,
  RevokeReply,
  ShutdownReply,
  StatsReply,
} from "./core/control-payloads.ts";

// Workflows
export { Flow, type FlowBuilder, type FlowOptions } from "./workflow/flow.ts";
export { WorkflowScript, type WorkflowScriptOptions } from "./workflow/workflow-script.ts";
export type { WorkflowOptions } from "./workflow/define-workflow.ts";
export type * from "./workflow/workflow-definition.ts";
export type * from "./workflow/workflow-handle.ts";
export {
  defineWorkflowEvent,
  defineWorkflowRef,
  type WorkflowEventRef,
  type WorkflowRef,
} from "./workflow/workflow-refs.ts";
export type * from "./workflow/workflow-events.ts";
export type { WorkflowResult } from "./workflow/workflow-result.ts";
export { type HasDefinition, WorkflowRegistry } from "./workflow/workflow-registry.ts";
export { type RunDetail, WorkflowRuntime } from "./workflow/workflow-runtime.ts";
export { WorkflowApp, type WorkflowAppOptions, type WorkflowAppStores } from "./workflow/workflow-app.ts";
export type { WorkflowRuntimeOptions } from "./workflow/workflow-runtime-options.ts";
export { hasRunEnded, type WorkflowStatus } from "./core/workflow-status.ts";

// Tasks
export type * from "./contracts/task-handler.ts";
export type { TaskOptions } from "./core/task-options.ts";
export type { TaskRetryPolicy } from "./core/retry-policy.ts";
export { exponentialJitterRetryStrategy, type RetryStrategy } from "./core/retry-strategy.ts";

// Values
export type { Envelope, EnvelopeInit } from "./core/envelope.ts";
export { createEnvelope, generateEnvelopeId } from "./ports/create-envelope.ts";
export { broadcastRoute, queueRoute, type RoutingInfo, type RoutingSubscription } from "./core/routing.ts";
export { isTerminal, type TaskState } from "./core/task-state.ts";
export type { PageOptions } from "./core/page-options.ts";
export type { Milliseconds } from "./core/duration.ts";
export type { JsonObject, JsonValue } from "./core/json.ts";

// Contracts of the adapters
export type * from "./contracts/broker.ts";
export type * from "./contracts/database-health.ts";
export type * from "./contracts/delivery-settler.ts";
export type * from "./contracts/isolate-host.ts";
export type * from "./contracts/result-backend.ts";
export type * from "./contracts/revoke-store.ts";
export type * from "./contracts/sql-database.ts";
export type * from "./contracts/sql-engine.ts";
export type * from "./contracts/storage-driver.ts";
export type * from "./contracts/workflow-store.ts";

// Time, ids, logs
export type { Clock, Timer } from "./contracts/clock.ts";
export type { IdSource, Randomness } from "./contracts/identity.ts";
export type { Logger, LogLevel } from "./contracts/logger.ts";
export { consoleLogger, silentLogger } from "./ports/console-logger.ts";

// Errors
export * from "./errors.ts";
export * from "./error-database.ts";
export * from "./error-workflow.ts";
