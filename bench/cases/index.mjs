import { backlog100k, backlog1k, backlog1M } from "./backlog.mjs";
import { claimAck100, claimAckOne } from "./claim-ack.mjs";
import { endToEndOne, endToEndTen } from "./end-to-end.mjs";
import { enqueueAll } from "./enqueue.mjs";
import { firstJob } from "./first-job.mjs";
import { enqueueToStart, idleWorker } from "./idle.mjs";
import { processesCases } from "./processes.mjs";
import { processesIdle, processesWorkCases, remoteStart } from "./remote-work.mjs";
import { workflowCases, workflowStart } from "./workflows.mjs";
import { workflowsSleeping } from "./workflows-sleeping.mjs";
import { bulk1000, bulk10000, publishOne, publishTogether } from "./publish.mjs";

/** In the order of the table. */
export const cases = [
  publishOne,
  publishTogether,
  bulk1000,
  bulk10000,
  enqueueAll,
  claimAckOne,
  claimAck100,
  endToEndOne,
  endToEndTen,
  backlog1k,
  backlog100k,
  backlog1M,
  enqueueToStart,
  idleWorker,
  firstJob,
  ...processesCases,
  ...processesWorkCases,
  remoteStart,
  processesIdle,
  ...workflowCases,
  workflowStart,
  workflowsSleeping,
];
