import type { GrantRecord, LifeRecord, QueueRecord, Violation } from "./history-record.ts";
import type { Job } from "./jobs-of.ts";

/** The broker's clock counts whole milliseconds. */
const SLACK_MS = 2;

/**
 * I4: nobody is given a message while somebody else's lease on it is certainly valid. It is when its holder is alive,
 * ran all the time, has not begun to give it up, and the lease that it was given, or that it was told is prolonged, is
 * not over. The delivery itself was made some time before it was seen: not before its process began, its message was
 * published, or the delivery before it was given back, so the lease is counted from there.
 */
export function checkLeases(jobs: ReadonlyMap<string, Job>, history: readonly QueueRecord[]): readonly Violation[] {
  const violations: Violation[] = [];
  const lives = livesOf(history);
  for (const job of jobs.values()) {
    for (const [index, grant] of job.grants.entries()) {
      const next = job.grants[index + 1];
      if (next === undefined) continue;
      const life = lives.get(grant.process) ?? [];
      const made = earliest(job, grant, life);
      const until = certainEnd(job, grant, made);
      if (next.invoked >= until || hasLetGo(job, grant, life, { from: made, until: next.invoked })) continue;
      const left = Math.round((until - next.invoked) / 1_000);
      const what = `given to ${next.process} as ${next.token}; ${grant.process} had ${grant.token} for ${left} ms more`;
      violations.push({ invariant: "I4 one valid lease", key: job.key, what });
    }
  }
  return violations;
}

function livesOf(history: readonly QueueRecord[]): ReadonlyMap<string, readonly LifeRecord[]> {
  const lives = new Map<string, LifeRecord[]>();
  for (const record of history) {
    if (record.op !== "begin" && record.op !== "end" && record.op !== "pause") continue;
    const known = lives.get(record.process);
    if (known === undefined) lives.set(record.process, [record]);
    else known.push(record);
  }
  return lives;
}

/** When the grant was made at the earliest. */
function earliest(job: Job, grant: GrantRecord, life: readonly LifeRecord[]): number {
  const begun = life.find(({ op }) => op === "begin")?.invoked ?? 0;
  const published = job.publishes[0]?.invoked ?? 0;
  const givenBack = job.settles.filter(({ token, outcome }) => token < grant.token && outcome === "ok");
  return Math.max(begun, published, ...givenBack.map(({ invoked }) => invoked));
}

/** When the lease of a grant ends at the earliest. */
function certainEnd(job: Job, grant: GrantRecord, made: number): number {
  const renewals = job.extends.filter(({ token, outcome }) => token === grant.token && outcome === "ok");
  const ends = [
    made + toMicroseconds(grant.leaseMs),
    ...renewals.map(({ invoked, by }) => invoked + toMicroseconds(by)),
  ];
  return Math.max(...ends) - toMicroseconds(SLACK_MS);
}

/** Whether the holder may have lost or given up the lease in this time. */
function hasLetGo(
  job: Job,
  grant: GrantRecord,
  life: readonly LifeRecord[],
  time: Readonly<{ from: number; until: number }>,
): boolean {
  const settled = job.settles.some(
    ({ token, outcome, invoked }) => token === grant.token && outcome !== "fail" && invoked <= time.until,
  );
  const isGone = life.some(({ op, invoked }) => op === "end" && invoked <= time.until);
  const wasPaused = life.some(
    ({ op, invoked, completed }) =>
      op === "pause" && invoked <= time.until && (completed ?? Number.POSITIVE_INFINITY) >= time.from,
  );
  return settled || isGone || wasPaused;
}

function toMicroseconds(milliseconds: number): number {
  return milliseconds * 1_000;
}
