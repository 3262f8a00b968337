import type { BroadcastRecord, GapRecord, HeardRecord, QueueRecord, Violation } from "./history-record.ts";

type Say = (what: string) => void;

/**
 * I21: what a subscriber hears is a subsequence of what was sent, without repeats, in the senders' order, and it is told
 * how many it missed, no more and no fewer. Gaps before the first and after the last that it heard are its own.
 */
export function checkBroadcasts(history: readonly QueueRecord[]): readonly Violation[] {
  const violations: Violation[] = [];
  const sent = new Map(history.filter((record) => record.op === "broadcast").map((record) => [record.key, record]));
  const streams = new Map<string, (HeardRecord | GapRecord)[]>();
  for (const record of history) {
    if (record.op !== "heard" && record.op !== "gap") continue;
    const name = `${record.process} on ${record.channel}`;
    streams.set(name, [...(streams.get(name) ?? []), record]);
  }
  for (const [name, stream] of streams) {
    const say: Say = (what) => void violations.push({ invariant: "I21 broadcast", key: name, what });
    const heard = stream.filter((record) => record.op === "heard");
    checkSent(heard, sent, say);
    checkOrder(heard, sent, say);
    checkGaps(stream, say);
  }
  return violations;
}

function checkSent(heard: readonly HeardRecord[], sent: ReadonlyMap<string, BroadcastRecord>, say: Say): void {
  const known = new Set<string>();
  for (const { key, channel, invoked } of heard) {
    const broadcast = sent.get(key);
    if (known.has(key)) say(`heard ${key} twice`);
    known.add(key);
    if (broadcast === undefined || broadcast.channel !== channel) say(`heard ${key}, which nobody sent there`);
    else if (broadcast.outcome === "fail") say(`heard ${key}, which failed with ${broadcast.code}`);
    else if (invoked < broadcast.invoked) say(`heard ${key} before it was sent`);
  }
}

/** Of two broadcasts, the one that was acknowledged before the other was asked for comes first. */
function checkOrder(heard: readonly HeardRecord[], sent: ReadonlyMap<string, BroadcastRecord>, say: Say): void {
  let last: HeardRecord | undefined;
  let latestAsked: BroadcastRecord | undefined;
  for (const record of heard) {
    if (last !== undefined && record.sequence <= last.sequence) {
      say(`heard number ${record.sequence} after number ${last.sequence}`);
    }
    last = record;
    const broadcast = sent.get(record.key);
    if (broadcast === undefined) continue;
    if (latestAsked !== undefined && (broadcast.completed ?? Infinity) < latestAsked.invoked) {
      say(`heard ${record.key} after ${latestAsked.key}, which was sent later`);
    }
    if (latestAsked === undefined || broadcast.invoked > latestAsked.invoked) latestAsked = broadcast;
  }
}

function checkGaps(stream: readonly (HeardRecord | GapRecord)[], say: Say): void {
  let [missing, told, toldBefore, toldSince] = [0, 0, 0, 0];
  let first: number | undefined;
  let last = 0;
  for (const record of stream) {
    if (record.op === "gap") {
      told += record.missed;
      toldSince += record.missed;
      continue;
    }
    if (first === undefined) {
      first = record.sequence;
      toldBefore = told;
    } else missing += Math.max(0, record.sequence - last - 1);
    last = record.sequence;
    toldSince = 0;
    if (told < missing) return say(`missed ${missing} broadcasts up to number ${last}, and was told of ${told}`);
  }
  if (first === undefined) return;
  const allowed = missing + Math.min(toldBefore, first - 1) + toldSince;
  if (told > allowed) say(`missed ${missing} broadcasts, and was told of ${told}`);
}
