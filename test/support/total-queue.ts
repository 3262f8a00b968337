import type { FinalState, Phase, PublishedJob, Step } from "./total-queue-history.ts";

/** All that a history says about one job. */
interface JobRecord {
  body: string | undefined;
  published: Phase | undefined;
  seen: boolean;
  token: number;
  deliveries: number;
  deliveredAttempt: number;
  retryAsked: number;
  retryDone: number;
  end: { readonly f: "ack" | "deadLetter"; phase: Phase } | undefined;
  /** The result that must be stored, and those that may be since nobody saw their write acknowledged. */
  result: string | undefined;
  possibleResults: Set<string>;
}

/** Counts for a report; none of them is a verdict. */
export interface QueueTotals {
  readonly published: number;
  readonly unacknowledgedButStored: number;
  readonly redelivered: number;
  readonly finished: number;
  readonly dead: number;
  readonly results: number;
}

/** The verdict on a history: every broken promise in words. */
export interface QueueVerdict {
  readonly problems: readonly string[];
  readonly totals: QueueTotals;
}

/**
 * Checks a history of a drained queue against what a broker and a result backend promise: every acknowledged publish
 * was finished or is a dead letter, nothing was invented, acknowledged ends are final, tokens and attempts only grow,
 * one publish call is stored whole or not at all, acknowledged results are stored. Knows nothing of any broker.
 */
export function checkTotalQueue(history: readonly Step[], final: FinalState): QueueVerdict {
  const problems: string[] = [];
  const jobs = new Map<string, JobRecord>();
  const calls: { readonly jobs: readonly PublishedJob[]; acknowledged: boolean }[] = [];
  let highestToken = 0;
  let tokenFloor = 0;
  let redelivered = 0;

  const recordOf = (id: string): JobRecord => {
    const known = jobs.get(id);
    if (known !== undefined) return known;
    const record = newRecord();
    jobs.set(id, record);
    return record;
  };

  for (const step of history) {
    if (step.f === "kill") tokenFloor = highestToken;
    else if (step.f === "publish") {
      readPublish(step, recordOf, calls);
      if (step.phase === "failed") problems.push(`publish of ${step.jobs[0]?.id} failed with ${step.code}`);
    } else {
      const job = recordOf(step.id);
      if (step.f === "deliver") {
        problems.push(...readDelivery(step, job, tokenFloor));
        highestToken = Math.max(highestToken, step.token);
        if (step.deliveries > 1) redelivered += 1;
      } else {
        if (step.phase === "failed") problems.push(`${step.f} of ${step.id} failed with ${step.code}`);
        readCall(step, job);
      }
    }
  }

  for (const letter of final.dead) problems.push(...readDeadLetter(letter, recordOf(letter.id)));
  const dead = new Set(final.dead.map(({ id }) => id));
  for (const [id, job] of jobs) problems.push(...checkJob(id, job, dead.has(id), final.results.get(id)));
  for (const call of calls) problems.push(...checkCall(call.jobs, jobs));
  if (final.waiting !== 0) problems.push(`${final.waiting} messages are left after the drain`);
  if (dead.size !== final.dead.length) problems.push("an id is twice among the dead letters");

  const records = [...jobs.values()];
  const totals = {
    published: records.filter((job) => job.published === "done").length,
    unacknowledgedButStored: records.filter((job) => job.published === "asked" && job.seen).length,
    redelivered,
    finished: records.filter((job) => job.end?.f === "ack").length,
    dead: final.dead.length,
    results: final.results.size,
  };
  return { problems, totals };
}

function newRecord(): JobRecord {
  return {
    body: undefined,
    published: undefined,
    seen: false,
    token: 0,
    deliveries: 0,
    deliveredAttempt: 0,
    retryAsked: 0,
    retryDone: 0,
    end: undefined,
    result: undefined,
    possibleResults: new Set(),
  };
}

function readPublish(
  step: Extract<Step, { f: "publish" }>,
  recordOf: (id: string) => JobRecord,
  calls: { readonly jobs: readonly PublishedJob[]; acknowledged: boolean }[],
): void {
  if (step.phase === "asked") calls.push({ jobs: step.jobs, acknowledged: false });
  for (const { id, body } of step.jobs) {
    const job = recordOf(id);
    job.body ??= body;
    job.published = step.phase;
  }
}

function readDelivery(step: Extract<Step, { f: "deliver" }>, job: JobRecord, tokenFloor: number): readonly string[] {
  const problems: string[] = [];
  const say = (what: string): void => void problems.push(`${step.id} (token ${step.token}): ${what}`);
  if (job.body === undefined) say("unexpected, nobody published it");
  else if (job.body !== step.body) say("delivered with other content than it was published with");
  if (job.end?.phase === "done") say(`delivered after its ${job.end.f} was acknowledged`);
  if (step.token <= job.token) say(`its token did not grow, it was ${job.token}`);
  if (step.token <= tokenFloor) say(`its token is not above ${tokenFloor}, which was given out before the kill`);
  if (step.attempt < job.retryDone) say(`attempt ${step.attempt} after the retry to ${job.retryDone} was acknowledged`);
  if (step.attempt > job.retryAsked) say(`attempt ${step.attempt}, while nobody asked for more than ${job.retryAsked}`);
  if (step.attempt === job.deliveredAttempt && step.deliveries <= job.deliveries) {
    say(`delivery ${step.deliveries} of attempt ${step.attempt} came after delivery ${job.deliveries}`);
  }
  job.seen = true;
  job.token = step.token;
  job.deliveries = step.deliveries;
  job.deliveredAttempt = step.attempt;
  // What a killed program asked for did not happen, or the job would not be here.
  if (job.end?.phase === "asked") job.end = undefined;
  return problems;
}

function readCall(step: Exclude<Step, { f: "publish" | "deliver" | "kill" }>, job: JobRecord): void {
  const { phase } = step;
  if (step.f === "ack" || step.f === "deadLetter") job.end = phase === "failed" ? undefined : { f: step.f, phase };
  else if (step.f === "retry") {
    if (phase === "asked") job.retryAsked = Math.max(job.retryAsked, step.attempt);
    if (phase === "done") job.retryDone = Math.max(job.retryDone, step.attempt);
  } else if (step.f === "result") {
    if (phase === "asked") job.possibleResults.add(step.value);
    // The first result that is taken stands: results of finished tasks are final.
    if (phase === "done" && step.stored === true) job.result ??= step.value;
  }
}

function readDeadLetter(letter: FinalState["dead"][number], job: JobRecord): readonly string[] {
  const problems: string[] = [];
  if (job.body === undefined) problems.push(`${letter.id}: a dead letter that nobody published`);
  else if (job.body !== letter.body) problems.push(`${letter.id}: a dead letter with other content than was published`);
  if (job.end?.f === "ack" && job.end.phase === "done") problems.push(`${letter.id}: acknowledged, and a dead letter`);
  else if (job.end?.f !== "deadLetter")
    problems.push(`${letter.id}: a dead letter, while nobody asked for it (${letter.reason})`);
  job.seen = true;
  return problems;
}

function checkJob(id: string, job: JobRecord, isDead: boolean, stored: string | undefined): readonly string[] {
  const problems: string[] = [];
  const say = (what: string): void => void problems.push(`${id}: ${what}`);
  if (job.published === "done" && job.end === undefined && !isDead) {
    say(job.seen ? "lost after it was delivered and before anybody ended it" : "lost, it was never delivered");
  }
  if (job.end?.f === "deadLetter" && job.end.phase === "done" && !isDead) say("its acknowledged dead letter is gone");
  if (job.result !== undefined && stored !== job.result) say(`its result is ${stored}, acknowledged was ${job.result}`);
  if (stored !== undefined && !job.possibleResults.has(stored)) say(`its result ${stored} was never written`);
  return problems;
}

/** A publish call that nobody saw acknowledged is stored whole or not at all. */
function checkCall(published: readonly PublishedJob[], jobs: ReadonlyMap<string, JobRecord>): readonly string[] {
  const seen = published.filter(({ id }) => jobs.get(id)?.seen === true).length;
  if (seen === 0 || seen === published.length) return [];
  return [`${published[0]?.id}: of one call's ${published.length} messages ${seen} were stored`];
}
