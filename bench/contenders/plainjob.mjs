// The nearest peer: jobs in a native SQLite (better-sqlite3), calls are synchronous, no results, one type a worker.
import { join } from "node:path";
import Database from "better-sqlite3";
import { better, defineQueue, defineWorker, JobStatus } from "plainjob";

const QUIET = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

function open(directory, synchronous) {
  const database = new Database(join(directory, "plainjob.sqlite"));
  const queue = defineQueue({ connection: better(database), logger: QUIET });
  // After defineQueue, which sets NORMAL itself.
  database.pragma(`synchronous = ${synchronous}`);
  return { database, queue };
}

function range(from, count) {
  return Array.from({ length: count }, (_, offset) => ({ i: from + offset }));
}

/** A queue without workers. */
async function openQueue(directory, synchronous) {
  const { queue } = open(directory, synchronous);
  return {
    isAsync: false,
    publish: (i) => queue.add("job", { i }),
    publishTogether(from, count) {
      for (let i = from; i < from + count; i += 1) queue.add("job", { i });
    },
    publishBulk: (from, count) => queue.addMany("job", range(from, count)),
    /** One type and no priorities, since a worker of it takes one type and there are none; every tenth delayed. */
    publishBacklog(from, count) {
      const jobs = range(from, count);
      queue.addMany(
        "job",
        jobs.filter(({ i }) => i % 10 !== 9),
      );
      queue.addMany(
        "job",
        jobs.filter(({ i }) => i % 10 === 9),
        { delay: 3_600_000 },
      );
    },
    claims: () => openClaims(queue),
    backlogClaims: () => openClaims(queue),
    close: () => queue.close(),
  };
}

/** What its worker does with each job: claim it, read it, mark it done. */
function openClaims(queue) {
  return {
    next: () => queue.getJobById(queue.getAndMarkJobAsProcessing("job").id),
    claim: () => queue.getAndMarkJobAsProcessing("job"),
    acknowledge: ({ id }) => queue.markJobAsDone(id),
    close: () => {},
  };
}

/** Producer and workers; nothing is kept of what a handler returns. */
async function openWorkplace(directory, synchronous, { concurrency = 1, onStart = () => {}, onDone = () => {} }) {
  const { queue } = open(directory, synchronous);
  const process = async ({ data }) => {
    onStart(JSON.parse(data).i);
    return { ok: true };
  };
  // A worker runs one job at a time; several are what its README proposes for more.
  const workers = Array.from({ length: concurrency }, () =>
    defineWorker("job", process, { queue, logger: QUIET, onCompleted: ({ data }) => onDone(JSON.parse(data).i) }),
  );
  let running = [];
  return {
    enqueue: (i) => queue.add("job", { i }).id,
    enqueueBulk: (from, count) => queue.addMany("job", range(from, count)).ids,
    async start() {
      running = workers.map((worker) => worker.start());
    },
    async stop() {
      for (const worker of workers) await worker.stop();
      await Promise.all(running);
    },
    countResults: async (ids) => ids.filter((id) => queue.getJobById(id).status === JobStatus.Done).length,
    close: () => queue.close(),
  };
}

export function plainjobContender({ synchronous }) {
  return {
    // Once a second, when it has nothing to do.
    polls: true,
    openQueue: (directory) => openQueue(directory, synchronous),
    openWorkplace: (directory, options) => openWorkplace(directory, synchronous, options),
  };
}
