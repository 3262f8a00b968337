import { COUNT_DEAD_LETTERS, COUNT_QUEUES, LIST_DELAYED, LIST_INFLIGHT, LIST_READY } from "../sql/inspection.ts";
import { COUNT_PENDING } from "../sql/queue-jobs.ts";
import type { QueueRef } from "./inspect.ts";
import type { Operation, OperationScope } from "./operation.ts";
import { queueKey } from "./queue-key.ts";

/** What one queue holds. */
export interface QueueRow {
  readonly queue: string;
  readonly ready: number;
  readonly delayed: number;
  readonly leased: number;
  readonly dead: number;
  /** Epoch milliseconds; null without a ready message, and for those that an earlier release stored. */
  readonly oldestReadyAt: number | null;
}

/** A message as it is stored. */
export interface MessageRow {
  readonly id: string;
  readonly envelope: string;
  /** Epoch milliseconds: since when it is ready, when it will be, or when its lease ends. */
  readonly dueAt: number;
}

/** A message that can be delivered, now or later. */
export interface PendingRow extends MessageRow {
  readonly isDelayed: boolean;
}

/** A message under a lease. */
export interface InflightRow extends MessageRow {
  readonly token: number;
  readonly deliveries: number;
  readonly leaseMs: number;
  readonly consumer: string;
}

/** Part of a list. It may hold fewer rows than were asked for although more follow, when they are large. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

export interface ListArgs extends QueueRef {
  /** At least 1. */
  readonly limit: number;
  readonly offset: number;
}

/** Rows that are read at once: a large limit must not bring all of them into memory. */
const CHUNK_ROWS = 64;
/** Text of one page: as one answer it has to fit through the line to a member. */
const PAGE_CHARACTERS = 16_777_216;

/** Every queue that holds a message or a dead letter. */
export const listQueues: Operation<{ readonly namespace: string }, QueueRow[]> = {
  kind: "read",
  run({ sql, now }, { namespace }) {
    const queues = new Map<string, QueueRow>();
    for (const row of sql.all<Omit<QueueRow, "dead">>(COUNT_QUEUES, { namespace, now })) {
      queues.set(row.queue, { ...row, dead: 0 });
    }
    for (const { queue, dead } of sql.all<{ queue: string; dead: number }>(COUNT_DEAD_LETTERS, { namespace })) {
      const live = queues.get(queue) ?? { queue, ready: 0, delayed: 0, leased: 0, oldestReadyAt: null };
      queues.set(queue, { ...live, dead });
    }
    return [...queues.values()];
  },
};

/** Ready messages in the order of delivery, then delayed ones by the time they fall due. */
export const listPending: Operation<ListArgs, Page<PendingRow>> = {
  kind: "read",
  run(scope, args) {
    const names = { namespace: args.namespace, queue: args.queue };
    const key = { ...names, queueKey: queueKey(args.namespace, args.queue), now: scope.now };
    let ready: number | undefined;
    return readPage(args, (limit, offset) => {
      const found = scope.sql.all<MessageRow>(LIST_READY, { ...key, limit, offset });
      const rows = found.map((row) => ({ ...pick(row), isDelayed: false }));
      if (rows.length === limit) return rows;
      ready ??= scope.sql.get<{ count: number }>(COUNT_PENDING, key)?.count ?? 0;
      const rest = { limit: limit - rows.length, offset: Math.max(0, offset - ready) };
      const delayed = scope.sql.all<MessageRow>(LIST_DELAYED, { ...names, now: scope.now, ...rest });
      return [...rows, ...delayed.map((row) => ({ ...pick(row), isDelayed: true }))];
    });
  },
};

/** Messages under an unexpired lease, the one that ends next first. */
export const listInflight: Operation<ListArgs, Page<InflightRow>> = {
  kind: "read",
  run: ({ sql, now }: OperationScope, args) =>
    readPage(args, (limit, offset) => {
      const { namespace, queue } = args;
      return sql.all<InflightRow>(LIST_INFLIGHT, { namespace, queue, now, limit, offset });
    }),
};

/** Reads rows until there are enough, or their text is. */
function readPage<Row extends MessageRow>(
  { limit, offset }: ListArgs,
  read: (limit: number, offset: number) => readonly Row[],
): Page<Row> {
  const rows: Row[] = [];
  let characters = 0;
  for (;;) {
    // One row more than the page tells whether another follows.
    const wanted = Math.min(CHUNK_ROWS, limit + 1 - rows.length);
    const chunk = read(wanted, offset + rows.length);
    for (const row of chunk) {
      const isFull = rows.length === limit || (rows.length > 0 && characters + row.envelope.length > PAGE_CHARACTERS);
      if (isFull) return { rows, hasMore: true };
      rows.push(row);
      characters += row.envelope.length;
    }
    if (chunk.length < wanted) return { rows, hasMore: false };
  }
}

function pick({ id, envelope, dueAt }: MessageRow): MessageRow {
  return { id, envelope, dueAt };
}
