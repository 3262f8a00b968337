import type { Broker } from "../contracts/broker.ts";
import type { ResultBackend, TaskStatus } from "../contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { mergeOptions } from "../core/options.ts";
import { isTerminal } from "../core/task-state.ts";
import { InvalidOptionError, TimeoutError } from "../errors.ts";
import type { Stem } from "../runtime/stem.ts";
import { createTaskResult } from "../runtime/task-result.ts";
import { realPause, realTime } from "./real-time.ts";

/** How many messages the queues of a page hold. */
export interface PageCounts {
  /** Could be run now. */
  readonly ready: number;
  /** In the hands of a worker, in this tab or another. */
  readonly running: number;
  readonly deadLettered: number;
}

/** What a page shows to its tests. */
export interface ExposedQueue {
  readonly stem: Stem;
  readonly broker: Broker;
  readonly backend: ResultBackend;
  /** @defaultValue `["default"]` */
  readonly queues?: readonly string[];
}

/** Part of a page of Playwright or Puppeteer. */
export interface EvaluatingPage {
  evaluate(run: (call: PageCall) => unknown, call: PageCall): Promise<unknown>;
}

/** One call into a page, as data. */
export interface PageCall {
  readonly name: string;
  readonly method: "counts" | "status";
  readonly args: readonly string[];
}

/** How long to wait for a page. */
export interface PageWaitOptions {
  /** Real time. @defaultValue `10_000` */
  readonly timeout?: Milliseconds;
}

/** A queue in a page, as a test outside of it sees it. */
export interface PageQueue {
  /** Resolves when nothing is ready or running; what is delayed is left. Throws `TimeoutError`. */
  idle(options?: PageWaitOptions): Promise<PageCounts>;
  /** The result of a task. Throws `TaskFailedError` when it failed or was cancelled, and `TimeoutError`. */
  result<Result = unknown>(taskId: string, options?: PageWaitOptions): Promise<Result>;
  counts(options?: PageWaitOptions): Promise<PageCounts>;
}

type Exposed = Readonly<Record<PageCall["method"], (...args: readonly string[]) => Promise<unknown>>>;
type Shelf = Record<string, Exposed | undefined>;

/** The name that both sides use when they are not told another one. */
const NAME = "stemQueue";
const TIMEOUT_MS: Milliseconds = 10_000;
/** Between two looks into a page. */
const LOOK_MS: Milliseconds = 20;
const MOST = 10_000;

/**
 * Called in the page under test: lets {@link queueIn} see its queue, as a global of this name. Changes nothing about
 * the queue. Returns a function that takes the global away again.
 */
export function exposeQueue(queue: ExposedQueue, name: string = NAME): () => void {
  const { stem, broker, backend, queues = ["default"] } = queue;
  if (!Array.isArray(queues)) throw new InvalidOptionError("queues", queues, "an array of names");
  for (const [option, value] of Object.entries({ stem, broker, backend })) {
    if (typeof value !== "object" || value === null)
      throw new InvalidOptionError(option, value, `the ${option} of the page`);
  }
  const sum = async (count: (queue: string) => Promise<number | null>): Promise<number> =>
    (await Promise.all(queues.map(count))).reduce<number>((total, part) => total + (part ?? 0), 0);
  const shelf = globalThis as unknown as Shelf;
  const exposed: Exposed = Object.freeze({
    async counts() {
      const [ready, running, deadLettered] = await Promise.all([
        sum((one) => broker.pendingCount(one)),
        sum((one) => broker.inflightCount(one)),
        sum(async (one) => (await broker.listDeadLetters(one, { limit: MOST })).entries.length),
      ]);
      return { ready, running, deadLettered };
    },
    status: async (taskId = "") => backend.get(taskId),
  });
  shelf[name] = exposed;
  return () => {
    if (shelf[name] === exposed) delete shelf[name];
  };
}

/**
 * Called in a test: the queue that the page exposes under this name, also after a reload, and as soon as it does. All
 * waiting is done out here, so that a page with a clock of its own is no matter.
 */
export function queueIn(page: EvaluatingPage, name: string = NAME): PageQueue {
  const counts = (options: PageWaitOptions | undefined, areFine: (counts: PageCounts) => boolean) =>
    look(`The work of the queue "${name}" in the page`, options, async () => {
      const found = await page.evaluate(callExposed, { name, method: "counts", args: [] });
      return finding(found, (there: PageCounts) => (areFine(there) ? there : undefined));
    });
  return {
    counts: (options) => counts(options, () => true),
    idle: (options) => counts(options, ({ ready, running }) => ready === 0 && running === 0),
    async result<Result>(taskId: string, options?: PageWaitOptions) {
      const status = await look(`Task "${taskId}" in the page`, options, async () => {
        const found = await page.evaluate(callExposed, { name, method: "status", args: [taskId] });
        return finding(found, (there: TaskStatus | null) =>
          there !== null && isTerminal(there.state) ? there : undefined,
        );
      });
      return createTaskResult<Result>(status, false).requiredValue();
    },
  };
}

/** Runs in the page, where nothing of this module is there. */
function callExposed({ name, method, args }: PageCall): unknown {
  return (globalThis as unknown as Shelf)[name]?.[method](...args);
}

/** What one look into a page finds: that nothing is exposed there, or what was looked for, or not yet. */
type Finding<T> = { readonly isExposed: boolean; readonly wanted?: T | undefined };

function finding<Answer, T>(answer: unknown, pick: (answer: Answer) => T | undefined): Finding<T> {
  return answer === undefined ? { isExposed: false } : { isExposed: true, wanted: pick(answer as Answer) };
}

async function look<T>(
  what: string,
  options: PageWaitOptions | undefined,
  find: () => Promise<Finding<T>>,
): Promise<T> {
  const { timeout } = mergeOptions({ timeout: TIMEOUT_MS }, options);
  checkDuration("timeout", timeout);
  const end = realTime() + timeout;
  for (;;) {
    const { isExposed, wanted } = await find();
    if (wanted !== undefined) return wanted;
    if (realTime() >= end) throw new TimeoutError(isExposed ? what : "The exposeQueue of the page", timeout);
    await realPause(LOOK_MS);
  }
}
