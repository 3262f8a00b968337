import { SqliteBroker, SqliteResultBackend, type TaskStatus } from "stem-sqlite";

const QUEUE = "default";
const PAGE = 200;

/** What the two files say about the jobs of the demo. */
export interface DemoReport {
  readonly succeeded: number;
  /** Ended as failed, and kept as a dead letter. */
  readonly failed: number;
  /** Ended in a later attempt than the first. */
  readonly retried: number;
  /** Still in the queue. */
  readonly waiting: number;
  /** Acknowledged ids that have no end in the files. */
  readonly lost: readonly string[];
}

/** Opens both files and compares what is in them with the ids that were acknowledged. */
export async function readReport(
  brokerFile: string,
  backendFile: string,
  acknowledged: ReadonlySet<string>,
): Promise<DemoReport> {
  await using broker = await SqliteBroker.open(brokerFile);
  await using backend = await SqliteResultBackend.open(backendFile);
  const statuses = await readStatuses(backend);
  const dead = await readDeadLetters(broker);
  const waiting = (await broker.pendingCount(QUEUE)) + (await broker.inflightCount(QUEUE));
  const known = [...statuses.values()];
  const ended = (id: string): boolean => {
    const state = statuses.get(id)?.state;
    return state === "succeeded" || (state === "failed" && dead.has(id));
  };
  const missing = [...acknowledged].filter((id) => !ended(id));
  return {
    succeeded: known.filter(({ state }) => state === "succeeded").length,
    failed: known.filter(({ id, state }) => state === "failed" && dead.has(id)).length,
    retried: known.filter(({ attempt }) => attempt > 0).length,
    waiting,
    lost: missing,
  };
}

async function readStatuses(backend: SqliteResultBackend): Promise<ReadonlyMap<string, TaskStatus>> {
  const statuses = new Map<string, TaskStatus>();
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const page = await backend.listTaskStatuses({ limit: PAGE, offset });
    for (const { status } of page.items) statuses.set(status.id, status);
    offset = page.nextOffset;
  }
  return statuses;
}

async function readDeadLetters(broker: SqliteBroker): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const page = await broker.listDeadLetters(QUEUE, { limit: PAGE, offset });
    for (const { envelope } of page.entries) ids.add(envelope.id);
    offset = page.nextOffset;
  }
  return ids;
}
