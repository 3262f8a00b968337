import type { QueueEnd, Violation } from "./history-record.ts";
import { isTerminal, type Job } from "./jobs-of.ts";

type Say = (invariant: Violation["invariant"], what: string) => void;

/**
 * I1, I2 and I19: every acknowledged publish came to an end or is a dead letter, and nothing is there that nobody
 * published. What was asked for and not answered may have happened or not.
 */
export function checkTotalQueue(jobs: ReadonlyMap<string, Job>, end: QueueEnd): readonly Violation[] {
  const violations: Violation[] = [];
  const dead = new Map(end.dead.map((letter) => [letter.key, letter]));
  for (const job of jobs.values()) {
    const say: Say = (invariant, what) => void violations.push({ invariant, key: job.key, what });
    checkOrigin(job, dead.get(job.key)?.content, say);
    if (!dead.has(job.key) && isLost(job)) {
      say("I1 no loss", job.grants.length === 0 ? "lost, never delivered" : "lost after it was delivered");
    }
  }
  for (const { key } of end.dead) {
    if (!jobs.has(key)) violations.push({ invariant: "I2 no invention", key, what: "a dead letter nobody published" });
  }
  if (dead.size !== end.dead.length) {
    violations.push({ invariant: "I6 one end", key: "", what: "one key is twice among the dead letters" });
  }
  if (end.waiting !== 0) {
    violations.push({ invariant: "I1 no loss", key: "", what: `${end.waiting} messages are left after the drain` });
  }
  return violations;
}

function checkOrigin(job: Job, deadContent: string | undefined, say: Say): void {
  const [publish, second] = job.publishes;
  if (second !== undefined) say("I2 no invention", "the history publishes this key twice, which cannot be checked");
  const contents = [...job.grants.map(({ content }) => content), ...(deadContent === undefined ? [] : [deadContent])];
  if (contents.length === 0) return;
  if (publish === undefined) return say("I2 no invention", "delivered, while nobody published it");
  if (publish.outcome === "fail") say("I19 honest errors", `delivered, while its publish failed with ${publish.code}`);
  if (contents.some((content) => content !== publish.content)) say("I2 no invention", "arrived with other content");
  if (job.grants.some(({ invoked }) => invoked < publish.invoked))
    say("I2 no invention", "delivered before its publish");
}

/** An end nobody saw answered counts, unless a later delivery proves that it did not happen. */
function isLost({ publishes, grants, settles }: Job): boolean {
  if (publishes[0]?.outcome !== "ok") return false;
  const last = grants.at(-1)?.token ?? 0;
  return !settles.some((settle) => isTerminal(settle) && settle.outcome !== "fail" && settle.token >= last);
}
