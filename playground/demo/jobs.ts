import { setTimeout as delay } from "node:timers/promises";
import { type AnyTaskHandler, defineTask, type EnqueueRequest, type TaskContext } from "stem-sqlite";

export const CONCURRENCY = 4;

const MAILS = 200;
const REPORTS = 60;
const REMINDERS = 40;
/** How many of the mails fail at first, and how many of the reports fail every time. */
const FLAKY_MAILS = 20;
const BROKEN_REPORTS = 5;

/** What the jobs must amount to, whatever happens to the processes that do them. */
export const EXPECTED = {
  enqueued: MAILS + REPORTS + REMINDERS,
  succeeded: MAILS + REPORTS + REMINDERS - BROKEN_REPORTS,
  failed: BROKEN_REPORTS,
  retried: FLAKY_MAILS + BROKEN_REPORTS,
} as const;

/** One job of the demo; `taskId` says what it is, so that a second enqueue is the same job. */
export type DemoJob = EnqueueRequest & { readonly enqueueOptions: { readonly taskId: string } };

/** All jobs in the order in which they are enqueued: the kinds are mixed, the same in every run. */
export function demoJobs(): readonly DemoJob[] {
  const mails = Array.from({ length: MAILS }, (_, index) =>
    job("mail.send", index, { to: `customer-${index}@example.org`, flaky: index % (MAILS / FLAKY_MAILS) === 0 }),
  );
  const reports = Array.from({ length: REPORTS }, (_, index) =>
    job("report.build", index, { month: (index % 12) + 1, broken: index < BROKEN_REPORTS }),
  );
  const reminders = Array.from({ length: REMINDERS }, (_, index) =>
    job("reminder.later", index, { text: `call ${index}` }, 500 + 25 * index),
  );
  return spread([mails, reports, reminders]);
}

function job(name: string, index: number, args: DemoJob["args"] & object, countdown = 0): DemoJob {
  const taskId = `${name}-${String(index + 1).padStart(3, "0")}`;
  return { name, args, enqueueOptions: { taskId, ...(countdown === 0 ? {} : { countdown }) } };
}

/** Merges lists so that each is spread evenly over the whole. */
function spread<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists
    .flatMap((list) => list.map((value, index) => ({ value, at: (index + 0.5) / list.length })))
    .sort((left, right) => left.at - right.at)
    .map(({ value }) => value);
}

/** The handlers. `begin` is called in the middle of the work: what it returns is waited for. */
export function demoTasks(begin: (context: TaskContext) => Promise<void>): readonly AnyTaskHandler[] {
  const retryPolicy = { backoff: true, defaultDelay: 150, backoffMax: 600 };
  const send = defineTask(
    "mail.send",
    async (context, { to, flaky }: { to: string; flaky: boolean }) => {
      await begin(context);
      await delay(30);
      if (flaky && context.attempt === 0) throw new Error("the mail server hung up");
      return { sentTo: to };
    },
    { maxRetries: 3, retryPolicy },
  );
  const build = defineTask(
    "report.build",
    async (context, { month, broken }: { month: number; broken: boolean }) => {
      await begin(context);
      await delay(60);
      if (broken) throw new Error(`no figures for month ${month}`);
      return { pages: 10 + month };
    },
    { maxRetries: 2, retryPolicy },
  );
  const remind = defineTask("reminder.later", async (context, { text }: { text: string }) => {
    await begin(context);
    await delay(10);
    return { reminded: text };
  });
  return [send, build, remind];
}
