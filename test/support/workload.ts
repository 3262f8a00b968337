import { History } from "./history.ts";
import { watchCommits } from "./history-commits.ts";
import type { DatabaseContent } from "./history-content.ts";
import type { SimDisk } from "./sim-disk.ts";
import { BROKER_STEPS } from "./workload-broker-steps.ts";
import { WorkloadModel } from "./workload-model.ts";
import { RESULT_STEPS } from "./workload-result-steps.ts";
import { type SessionOptions, WorkloadSession } from "./workload-session.ts";
import { SETTLE_STEP } from "./workload-settle-step.ts";
import type { WorkloadScope, WorkloadStep } from "./workload-step.ts";
import { objectionToRuns, WORKFLOW_STEPS } from "./workload-workflow-steps.ts";

/** What a workload does, and how the database under it is opened. */
export interface WorkloadOptions extends SessionOptions {
  readonly seed: number;
  /** Turns of calls; each has up to four. */
  readonly turns: number;
  /** Turns after which the database is closed cleanly and opened again. @defaultValue never */
  readonly reopenEvery?: number;
  /** Which part of the library is worked with. @defaultValue `"queue"` */
  readonly about?: "queue" | "workflows";
}

/** Calls of a turn that run together; their commits are shared. */
const MOST_TOGETHER = 4;
const STEPS: Readonly<Record<NonNullable<WorkloadOptions["about"]>, readonly WorkloadStep[]>> = {
  queue: [...BROKER_STEPS, ...RESULT_STEPS, SETTLE_STEP],
  workflows: WORKFLOW_STEPS,
};

/** A seeded run of everything an owner can do, with a model of what each acknowledged call must have left behind. */
export class Workload implements WorkloadScope {
  readonly session: WorkloadSession;
  readonly model: WorkloadModel = new WorkloadModel();
  readonly subscriptions = new Set<number>();
  readonly #history: History;
  readonly #options: WorkloadOptions;
  #ids = 0;

  constructor(disk: SimDisk, history: History, options: WorkloadOptions) {
    this.#history = history;
    this.#options = options;
    this.session = new WorkloadSession(disk, history, options.seed, options);
  }

  /** What the last commit made of the database. */
  get content(): DatabaseContent {
    return this.#history.content;
  }

  nextId(): string {
    this.#ids += 1;
    return `message-${this.#ids}`;
  }

  expect<T>(actual: T, expected: T): void {
    if (actual === expected) return;
    throw new Error(`Workload with seed ${this.#options.seed}: got ${String(actual)} for ${String(expected)}.`);
  }

  /** Opens, does every turn, and closes; checks the model after each turn. */
  async run(): Promise<void> {
    const { turns, reopenEvery = Number.POSITIVE_INFINITY } = this.#options;
    await this.session.open();
    for (let turn = 1; turn <= turns; turn++) {
      await this.#turn();
      const objection = this.#isAboutWorkflows ? objectionToRuns(this.content) : this.model.objection(this.content);
      this.expect(objection, undefined);
      if (turn % reopenEvery === 0) await this.#reopen();
    }
    await this.session.close();
  }

  get #isAboutWorkflows(): boolean {
    return this.#options.about === "workflows";
  }

  async #turn(): Promise<void> {
    const all = STEPS[this.#options.about ?? "queue"];
    const shared = all.filter(({ alone }) => alone !== true);
    const first = choose(all, this.session.random());
    const more = first.alone === true ? 0 : this.session.integer(0, MOST_TOGETHER - 1);
    const steps = [first];
    for (let index = 0; index < more; index++) steps.push(choose(shared, this.session.random()));
    await Promise.all(steps.map((step) => step.run(this)));
  }

  async #reopen(): Promise<void> {
    this.subscriptions.clear();
    await this.session.close();
    await this.session.clock.advance(this.session.integer(0, 5_000));
    await this.session.open();
  }
}

/** Runs a workload on a disk that holds no database yet, and returns its history. */
export async function recordWorkload(disk: SimDisk, options: WorkloadOptions): Promise<History> {
  const history = new History(disk, NOTHING);
  const stop = watchCommits(history);
  try {
    await new Workload(disk, history, options).run();
  } finally {
    stop();
  }
  return history;
}

/** A database without a schema. */
export const NOTHING: DatabaseContent = { version: 0, digest: "nothing", text: "{}" };

function choose(steps: readonly WorkloadStep[], random: number): WorkloadStep {
  let rest = random * steps.reduce((sum, { weight }) => sum + weight, 0);
  return steps.find(({ weight }) => (rest -= weight) < 0) ?? (steps[0] as WorkloadStep);
}
