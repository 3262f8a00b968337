import * as consumeOperations from "./consume.ts";
import * as databaseFileOperations from "./database-file.ts";
import * as deadLetterOperations from "./dead-letters.ts";
import * as groupOperations from "./groups.ts";
import * as healthOperations from "./health.ts";
import * as heartbeatOperations from "./heartbeats.ts";
import * as inspectOperations from "./inspect.ts";
import * as listingOperations from "./listings.ts";
import type { Operation } from "./operation.ts";
import * as publishOperations from "./publish.ts";
import * as resultOperations from "./results.ts";
import * as revocationOperations from "./revocations.ts";
import * as settleTaskOperations from "./settle-task.ts";
import * as settleOperations from "./settle.ts";
import * as workflowClaimOperations from "./workflow-claims.ts";
import * as workflowControlOperations from "./workflow-control.ts";
import * as workflowEventOperations from "./workflow-events.ts";
import * as workflowReadOperations from "./workflow-reads.ts";
import * as workflowWatchOperations from "./workflow-watch.ts";

/** Every operation an owner can be asked for, by name. */
export interface OperationTable {
  readonly publish: typeof publishOperations.publish;
  readonly publishAll: typeof publishOperations.publishAll;
  readonly publishBroadcast: typeof publishOperations.publishBroadcast;
  readonly ack: typeof settleOperations.ack;
  readonly requeue: typeof settleOperations.requeue;
  readonly giveBack: typeof settleOperations.giveBack;
  readonly retry: typeof settleOperations.retry;
  readonly deadLetter: typeof settleOperations.deadLetter;
  readonly extendLease: typeof settleOperations.extendLease;
  readonly consume: typeof consumeOperations.consume;
  readonly cancel: typeof consumeOperations.cancel;
  readonly pendingCount: typeof inspectOperations.pendingCount;
  readonly inflightCount: typeof inspectOperations.inflightCount;
  readonly listQueues: typeof listingOperations.listQueues;
  readonly listPending: typeof listingOperations.listPending;
  readonly listInflight: typeof listingOperations.listInflight;
  readonly purge: typeof inspectOperations.purge;
  readonly listDeadLetters: typeof deadLetterOperations.listDeadLetters;
  readonly getDeadLetter: typeof deadLetterOperations.getDeadLetter;
  readonly replay: typeof deadLetterOperations.replay;
  readonly purgeDeadLetters: typeof deadLetterOperations.purgeDeadLetters;
  readonly sweepDeadLetters: typeof deadLetterOperations.sweepDeadLetters;
  readonly health: typeof healthOperations.health;
  readonly settleTask: typeof settleTaskOperations.settleTask;
  readonly setStatus: typeof resultOperations.setStatus;
  readonly getStatus: typeof resultOperations.getStatus;
  readonly watchStatus: typeof resultOperations.watchStatus;
  readonly unwatch: typeof resultOperations.unwatch;
  readonly listStatuses: typeof resultOperations.listStatuses;
  readonly expireStatus: typeof resultOperations.expireStatus;
  readonly sweepResults: typeof resultOperations.sweepResults;
  readonly initGroup: typeof groupOperations.initGroup;
  readonly addGroupResult: typeof groupOperations.addGroupResult;
  readonly getGroup: typeof groupOperations.getGroup;
  readonly claimChord: typeof groupOperations.claimChord;
  readonly setHeartbeat: typeof heartbeatOperations.setHeartbeat;
  readonly getHeartbeat: typeof heartbeatOperations.getHeartbeat;
  readonly listHeartbeats: typeof heartbeatOperations.listHeartbeats;
  readonly removeHeartbeat: typeof heartbeatOperations.removeHeartbeat;
  readonly upsertRevocations: typeof revocationOperations.upsertRevocations;
  readonly getRevocation: typeof revocationOperations.getRevocation;
  readonly listRevocations: typeof revocationOperations.listRevocations;
  readonly watchRevocations: typeof revocationOperations.watchRevocations;
  readonly pruneRevocations: typeof revocationOperations.pruneRevocations;
  readonly queryDatabase: typeof databaseFileOperations.queryDatabase;
  readonly beginCopy: typeof databaseFileOperations.beginCopy;
  readonly readCopy: typeof databaseFileOperations.readCopy;
  readonly endCopy: typeof databaseFileOperations.endCopy;
  readonly claimRun: typeof workflowClaimOperations.claimRun;
  readonly renewRun: typeof workflowClaimOperations.renewRun;
  readonly releaseRun: typeof workflowClaimOperations.releaseRun;
  readonly saveStep: typeof workflowClaimOperations.saveStep;
  readonly suspendRun: typeof workflowClaimOperations.suspendRun;
  readonly markRunCompleted: typeof workflowClaimOperations.markRunCompleted;
  readonly markRunFailed: typeof workflowClaimOperations.markRunFailed;
  readonly createRun: typeof workflowControlOperations.createRun;
  readonly cancelRun: typeof workflowControlOperations.cancelRun;
  readonly rewindRun: typeof workflowControlOperations.rewindRun;
  readonly resumeRun: typeof workflowControlOperations.resumeRun;
  readonly recoverRuns: typeof workflowControlOperations.recoverRuns;
  readonly pendingContinuations: typeof workflowControlOperations.pendingContinuations;
  readonly confirmContinuations: typeof workflowControlOperations.confirmContinuations;
  readonly pruneWorkflows: typeof workflowControlOperations.pruneWorkflows;
  readonly emitEvent: typeof workflowEventOperations.emitEvent;
  readonly recordTaskEnd: typeof workflowEventOperations.recordTaskEnd;
  readonly listWatchers: typeof workflowEventOperations.listWatchers;
  readonly listWaitingRuns: typeof workflowEventOperations.listWaitingRuns;
  readonly listSteps: typeof workflowReadOperations.listSteps;
  readonly readStep: typeof workflowReadOperations.readStep;
  readonly listRuns: typeof workflowReadOperations.listRuns;
  readonly listRunnableRuns: typeof workflowReadOperations.listRunnableRuns;
  readonly getRun: typeof workflowWatchOperations.getRun;
  readonly watchRun: typeof workflowWatchOperations.watchRun;
}

export type OperationName = keyof OperationTable;
export type ArgsOf<Name extends OperationName> =
  OperationTable[Name] extends Operation<infer Args, unknown> ? Args : never;
export type ResultOf<Name extends OperationName> =
  OperationTable[Name] extends Operation<never, infer Result> ? Result : never;

/** The implementations, looked up by the owner. */
export const OPERATIONS: OperationTable = {
  publish: publishOperations.publish,
  publishAll: publishOperations.publishAll,
  publishBroadcast: publishOperations.publishBroadcast,
  ack: settleOperations.ack,
  requeue: settleOperations.requeue,
  giveBack: settleOperations.giveBack,
  retry: settleOperations.retry,
  deadLetter: settleOperations.deadLetter,
  extendLease: settleOperations.extendLease,
  consume: consumeOperations.consume,
  cancel: consumeOperations.cancel,
  pendingCount: inspectOperations.pendingCount,
  inflightCount: inspectOperations.inflightCount,
  listQueues: listingOperations.listQueues,
  listPending: listingOperations.listPending,
  listInflight: listingOperations.listInflight,
  purge: inspectOperations.purge,
  listDeadLetters: deadLetterOperations.listDeadLetters,
  getDeadLetter: deadLetterOperations.getDeadLetter,
  replay: deadLetterOperations.replay,
  purgeDeadLetters: deadLetterOperations.purgeDeadLetters,
  sweepDeadLetters: deadLetterOperations.sweepDeadLetters,
  health: healthOperations.health,
  settleTask: settleTaskOperations.settleTask,
  setStatus: resultOperations.setStatus,
  getStatus: resultOperations.getStatus,
  watchStatus: resultOperations.watchStatus,
  unwatch: resultOperations.unwatch,
  listStatuses: resultOperations.listStatuses,
  expireStatus: resultOperations.expireStatus,
  sweepResults: resultOperations.sweepResults,
  initGroup: groupOperations.initGroup,
  addGroupResult: groupOperations.addGroupResult,
  getGroup: groupOperations.getGroup,
  claimChord: groupOperations.claimChord,
  setHeartbeat: heartbeatOperations.setHeartbeat,
  getHeartbeat: heartbeatOperations.getHeartbeat,
  listHeartbeats: heartbeatOperations.listHeartbeats,
  removeHeartbeat: heartbeatOperations.removeHeartbeat,
  upsertRevocations: revocationOperations.upsertRevocations,
  getRevocation: revocationOperations.getRevocation,
  listRevocations: revocationOperations.listRevocations,
  watchRevocations: revocationOperations.watchRevocations,
  pruneRevocations: revocationOperations.pruneRevocations,
  queryDatabase: databaseFileOperations.queryDatabase,
  beginCopy: databaseFileOperations.beginCopy,
  readCopy: databaseFileOperations.readCopy,
  endCopy: databaseFileOperations.endCopy,
  claimRun: workflowClaimOperations.claimRun,
  renewRun: workflowClaimOperations.renewRun,
  releaseRun: workflowClaimOperations.releaseRun,
  saveStep: workflowClaimOperations.saveStep,
  suspendRun: workflowClaimOperations.suspendRun,
  markRunCompleted: workflowClaimOperations.markRunCompleted,
  markRunFailed: workflowClaimOperations.markRunFailed,
  createRun: workflowControlOperations.createRun,
  cancelRun: workflowControlOperations.cancelRun,
  rewindRun: workflowControlOperations.rewindRun,
  resumeRun: workflowControlOperations.resumeRun,
  recoverRuns: workflowControlOperations.recoverRuns,
  pendingContinuations: workflowControlOperations.pendingContinuations,
  confirmContinuations: workflowControlOperations.confirmContinuations,
  pruneWorkflows: workflowControlOperations.pruneWorkflows,
  emitEvent: workflowEventOperations.emitEvent,
  recordTaskEnd: workflowEventOperations.recordTaskEnd,
  listWatchers: workflowEventOperations.listWatchers,
  listWaitingRuns: workflowEventOperations.listWaitingRuns,
  listSteps: workflowReadOperations.listSteps,
  readStep: workflowReadOperations.readStep,
  listRuns: workflowReadOperations.listRuns,
  listRunnableRuns: workflowReadOperations.listRunnableRuns,
  getRun: workflowWatchOperations.getRun,
  watchRun: workflowWatchOperations.watchRun,
};
