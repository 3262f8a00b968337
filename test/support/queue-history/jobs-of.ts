import type { ExtendRecord, GrantRecord, PublishRecord, QueueRecord, SettleRecord } from "./history-record.ts";

/** All that a history says about one message. */
export interface Job {
  readonly key: string;
  readonly publishes: readonly PublishRecord[];
  /** In the order of their tokens, which is the order in which they were made. */
  readonly grants: readonly GrantRecord[];
  readonly settles: readonly SettleRecord[];
  readonly extends: readonly ExtendRecord[];
}

/** The messages of a history by their keys. */
export function jobsOf(history: readonly QueueRecord[]): ReadonlyMap<string, Job> {
  const found = new Map<string, QueueRecord[]>();
  for (const record of history) {
    if (!("key" in record) || record.op === "broadcast" || record.op === "heard") continue;
    const records = found.get(record.key);
    if (records === undefined) found.set(record.key, [record]);
    else records.push(record);
  }
  return new Map([...found].map(([key, records]) => [key, jobOf(key, records)]));
}

function jobOf(key: string, records: readonly QueueRecord[]): Job {
  return {
    key,
    publishes: records.filter((record) => record.op === "publish"),
    grants: records.filter((record) => record.op === "grant").toSorted((one, other) => one.token - other.token),
    settles: records.filter(isSettle),
    extends: records.filter((record) => record.op === "extend"),
  };
}

function isSettle(record: QueueRecord): record is SettleRecord {
  return record.op === "ack" || record.op === "deadLetter" || record.op === "nack" || record.op === "retry";
}

/** Whether a settlement ends its message for good. */
export function isTerminal({ op }: SettleRecord): boolean {
  return op === "ack" || op === "deadLetter";
}
