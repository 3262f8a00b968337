import type { GrantRecord, QueueRecord, Violation } from "./history-record.ts";
import type { Job } from "./jobs-of.ts";

/**
 * Every delivery has a token of its own, greater than those of all deliveries before it, of any message. Before it are
 * those that somebody had seen when its process began, or when its message was published.
 */
export function checkTokens(jobs: ReadonlyMap<string, Job>, history: readonly QueueRecord[]): readonly Violation[] {
  const violations: Violation[] = [];
  const grants = history
    .filter((record) => record.op === "grant")
    .toSorted((one, other) => one.invoked - other.invoked);
  const begun = new Map(history.filter(({ op }) => op === "begin").map(({ process, invoked }) => [process, invoked]));
  const say = (key: string, what: string): void => void violations.push({ invariant: "tokens rise", key, what });

  const seen = new Map<number, GrantRecord>();
  for (const grant of grants) {
    const same = seen.get(grant.token);
    if (same !== undefined) say(grant.key, `${grant.token} was given to ${same.process} and to ${grant.process}`);
    seen.set(grant.token, grant);
  }

  const highest: number[] = [];
  for (const { token } of grants) highest.push(Math.max(token, highest.at(-1) ?? 0));
  for (const { key, token, process } of grants) {
    const published = jobs.get(key)?.publishes[0]?.invoked ?? 0;
    const earliest = Math.max(published, begun.get(process) ?? 0);
    const floor = highest[countBefore(grants, earliest) - 1] ?? 0;
    if (token <= floor) say(key, `${token} was given out after ${floor}`);
  }
  return violations;
}

/** How many of the grants, which are in the order of time, were seen before `instant`. */
function countBefore(grants: readonly GrantRecord[], instant: number): number {
  let [low, high] = [0, grants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((grants[middle]?.invoked ?? 0) < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}
