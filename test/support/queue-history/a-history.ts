import type {
  BroadcastRecord,
  ExtendRecord,
  GapRecord,
  GrantRecord,
  HeardRecord,
  LifeRecord,
  Outcome,
  PublishRecord,
  SettleRecord,
} from "./history-record.ts";

/** What a hand-made record says beside its op; times are milliseconds here, as people count. */
interface Told {
  readonly by?: string;
  readonly at: number;
  readonly until?: number;
  readonly outcome?: Outcome;
}

/** A message `key` was published at `at`. */
export function published(key: string, told: Told): PublishRecord {
  return { op: "publish", key, content: `content of ${key}`, ...happened(told, "producer") };
}

/** A delivery of `key` was seen, the first one of its first attempt unless told otherwise. */
export function granted(
  key: string,
  token: number,
  told: Told & Readonly<{ attempt?: number; deliveries?: number; leaseMs?: number; content?: string }>,
): GrantRecord {
  const { attempt = 0, deliveries = 1, leaseMs = 1_000, content = `content of ${key}` } = told;
  return { op: "grant", key, content, token, attempt, deliveries, leaseMs, ...happened(told, "worker-a") };
}

/** A delivery was ended. */
export function settled(
  op: SettleRecord["op"],
  key: string,
  token: number,
  told: Told & Readonly<{ attempt?: number }>,
): SettleRecord {
  const { attempt } = told;
  return { op, key, token, ...(attempt === undefined ? {} : { attempt }), ...happened(told, "worker-a") };
}

/** A lease was prolonged. */
export function extended(key: string, token: number, forMs: number, told: Told): ExtendRecord {
  return { op: "extend", key, token, by: forMs, ...happened(told, "worker-a") };
}

/** A broadcast on the channel `news` was sent. */
export function sent(key: string, told: Told): BroadcastRecord {
  return { op: "broadcast", key, channel: "news", ...happened(told, "producer") };
}

/** A broadcast on the channel `news` was heard. */
export function heard(key: string, sequence: number, told: Told): HeardRecord {
  return { op: "heard", key, channel: "news", sequence, ...happened(told, "worker-a") };
}

/** A subscriber of `news` was told what it missed. */
export function missed(count: number, told: Told): GapRecord {
  return { op: "gap", channel: "news", missed: count, ...happened(told, "worker-a") };
}

/** Something happened to a process. */
export function life(op: LifeRecord["op"], process: string, at: number, until: number = at): LifeRecord {
  return { op, ...happened({ by: process, at, until }, process) };
}

function happened(
  { by, at, until = at, outcome = "ok" }: Told,
  process: string,
): Readonly<{ process: string; invoked: number; completed?: number; outcome: Outcome }> {
  const times = { invoked: at * 1_000, ...(outcome === "info" ? {} : { completed: until * 1_000 }) };
  return { process: by ?? process, outcome, ...times };
}
