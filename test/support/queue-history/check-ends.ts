import type { QueueEnd, Violation } from "./history-record.ts";
import { isTerminal, type Job } from "./jobs-of.ts";

type Say = (invariant: Violation["invariant"], what: string) => void;

/**
 * I3, I5 and I6: a message that was finished is not delivered again, nothing is accepted with a token that is not the
 * current one, and a message ends at most once. A second `ack` of the same delivery is no second end.
 */
export function checkEnds(jobs: ReadonlyMap<string, Job>, end: QueueEnd): readonly Violation[] {
  const violations: Violation[] = [];
  const dead = new Set(end.dead.map(({ key }) => key));
  for (const job of jobs.values()) {
    const say: Say = (invariant, what) => void violations.push({ invariant, key: job.key, what });
    checkFinal(job, say);
    checkFence(job, say);
    checkOneEnd(job, dead.has(job.key), say);
  }
  return violations;
}

function checkFinal({ grants, settles }: Job, say: Say): void {
  for (const { op, outcome, token } of settles.filter(isTerminal)) {
    const later = grants.find((grant) => outcome === "ok" && grant.token > token);
    if (later === undefined) continue;
    say(
      "I3 finished is final",
      `delivered to ${later.process} as ${later.token} though ${token} had its ${op} accepted`,
    );
  }
}

function checkFence({ grants, settles, extends: renewals }: Job, say: Say): void {
  for (const { op, process, token, invoked, outcome } of [...settles, ...renewals]) {
    if (outcome !== "ok") continue;
    // It was made before it was seen, and the call ran after it was asked for.
    const newer = grants.find((grant) => grant.token > token && grant.invoked < invoked);
    if (newer !== undefined) say("I5 fence", `${op} by ${process} with ${token} accepted, ${newer.token} was current`);
    if (!grants.some((grant) => grant.token === token && grant.process === process)) {
      say("I5 fence", `${op} by ${process} accepted with ${token}, which it was not given`);
    }
  }
  const accepted = settles.filter(({ outcome }) => outcome === "ok");
  for (const [index, { op, token }] of accepted.entries()) {
    const again = accepted.slice(index + 1).find((other) => other.token === token);
    if (again !== undefined && (op !== "ack" || again.op !== "ack")) {
      say("I5 fence", `${token} was ended by ${op} and by ${again.op}, both accepted`);
    }
  }
}

function checkOneEnd({ settles }: Job, isDead: boolean, say: Say): void {
  const ends = settles.filter((settle) => isTerminal(settle) && settle.outcome === "ok");
  const tokens = new Set(ends.map(({ token }) => token));
  if (tokens.size > 1) say("I6 one end", `finished with the tokens ${[...tokens].join(" and ")}`);
  const [first] = ends;
  if (first?.op === "ack" && isDead) say("I6 one end", "acknowledged, and a dead letter");
  if (first?.op === "deadLetter" && !isDead) say("I6 one end", "its accepted dead letter is gone");
}
