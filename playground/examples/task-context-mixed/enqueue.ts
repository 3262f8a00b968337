// Enqueues one run, or two under one id: `npm run example:enqueue -- [--fail] [--overwrite]`.
import { DuplicateIdConflictError, InMemoryResultBackend, SqliteBroker, Stem } from "stem-sqlite";
import { MIXED_QUEUE } from "./audit.ts";
import { resolveDatabasePaths } from "./database-paths.ts";
import { inlineParent } from "./inline-parent.ts";
import { mixedTasks } from "./tasks.ts";

const OVERWRITTEN_ID = "task-context-mixed";

/** A producer has no use for the worker's statuses here: it stays off that file. */
const backend = new InMemoryResultBackend();
const broker = await SqliteBroker.open(resolveDatabasePaths().broker);
const stem = new Stem({ broker, backend, tasks: mixedTasks });

async function enqueueOnce(runId: string, forceFail: boolean): Promise<void> {
  const id = await inlineParent.enqueue(stem, { runId, forceFail }, { enqueueOptions: { queue: MIXED_QUEUE } });
  console.log(`Enqueued demo.inline_parent id=${id} runId=${runId} forceFail=${forceFail}`);
}

/**
 * Both in one call, which the broker carries out as a whole: between two calls, an idle worker would have begun with
 * the first. A message of an earlier run that still waits under this id is replaced as well.
 */
async function enqueueAndOverwrite(runId: string, forceFail: boolean): Promise<void> {
  const enqueueOptions = { taskId: OVERWRITTEN_ID, queue: MIXED_QUEUE, onConflict: "replace-pending" } as const;
  const requests = [runId, `${runId}_overwrite`].map((id) => ({
    name: inlineParent.name,
    args: { runId: id, forceFail },
    enqueueOptions,
  }));
  const [id, overwrittenId] = await stem.enqueueAll(requests);
  console.log(`Enqueued demo.inline_parent id=${id} runId=${runId} forceFail=${forceFail}`);
  console.log(`Overwrote task id=${overwrittenId}`);
}

const flags = process.argv.slice(2);
const enqueue = flags.includes("--overwrite") ? enqueueAndOverwrite : enqueueOnce;
try {
  await enqueue(String(Date.now()), flags.includes("--fail"));
} catch (error) {
  if (!(error instanceof DuplicateIdConflictError)) throw error;
  console.error(`Not overwritten: a worker holds the task id=${OVERWRITTEN_ID}. Nothing was enqueued.`);
  process.exitCode = 1;
} finally {
  await stem.close();
  await broker.close();
  await backend.close();
}
