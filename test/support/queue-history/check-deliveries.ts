import type { GrantRecord, QueueEnd, QueueRecord, Violation } from "./history-record.ts";
import type { Job } from "./jobs-of.ts";

type Say = (what: string) => void;

/**
 * I7: within an attempt every delivery counts one more than the one before it, none above `maxDeliveries`, and attempts
 * rise by retries only. A delivery that its process did not live to see is a gap in the counts: there can be no more
 * of those than processes that ended. Deliveries taken back out of the count (`countsAsDelivery: false`) are not for
 * this checker.
 */
export function checkDeliveries(
  jobs: ReadonlyMap<string, Job>,
  history: readonly QueueRecord[],
  end: QueueEnd,
  maxDeliveries: number,
): readonly Violation[] {
  const violations: Violation[] = [];
  const ended = new Set(history.filter(({ op }) => op === "end").map(({ process }) => process)).size;
  for (const job of jobs.values()) {
    const say: Say = (what) => void violations.push({ invariant: "I7 deliveries", key: job.key, what });
    checkCounts(job, ended, say);
    checkAttempts(job, say);
    for (const { token, deliveries } of job.grants) {
      if (deliveries > maxDeliveries) say(`${token} is delivery ${deliveries} of at most ${maxDeliveries}`);
    }
  }
  for (const { key, deliveries } of end.dead) {
    const job = jobs.get(key);
    const isAskedFor = job?.settles.some(({ op, outcome }) => op === "deadLetter" && outcome !== "fail") ?? false;
    if (deliveries === undefined ? isAskedFor : deliveries >= maxDeliveries) continue;
    const reason = deliveries === undefined ? "without anybody's asking" : `after ${deliveries} deliveries`;
    violations.push({ invariant: "I7 deliveries", key, what: `a dead letter ${reason}` });
  }
  return violations;
}

function checkCounts({ grants }: Job, ended: number, say: Say): void {
  let unseen = 0;
  for (const attempt of new Set(grants.map((grant) => grant.attempt))) {
    let last = 0;
    for (const { token, deliveries } of grants.filter((grant) => grant.attempt === attempt)) {
      if (deliveries <= last) say(`${token} is delivery ${deliveries} of attempt ${attempt}, after delivery ${last}`);
      else unseen += deliveries - last - 1;
      last = Math.max(last, deliveries);
    }
  }
  if (unseen > ended) say(`nobody saw ${unseen} of its deliveries, and ${ended} processes ended`);
}

function checkAttempts({ grants, settles }: Job, say: Say): void {
  const retries = settles.filter(({ op }) => op === "retry");
  let last: GrantRecord | undefined;
  for (const grant of grants) {
    const { token, attempt } = grant;
    const isAskedFor = retries.some(
      (retry) => retry.attempt === attempt && retry.token < token && retry.outcome !== "fail",
    );
    if (attempt > 0 && !isAskedFor) say(`${token} is attempt ${attempt}, while nobody asked for it`);
    if (last !== undefined && attempt < last.attempt) say(`attempt ${attempt} came after attempt ${last.attempt}`);
    const retried = retries.find(
      (retry) => retry.outcome === "ok" && retry.token < token && attempt < (retry.attempt ?? 0),
    );
    if (retried !== undefined)
      say(`${token} is attempt ${attempt}, after its retry to ${retried.attempt} was accepted`);
    last = grant;
  }
}
