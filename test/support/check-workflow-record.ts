import type { WorkflowLine } from "./workflow-record.ts";

type Of<F extends WorkflowLine["f"]> = Extract<WorkflowLine, { readonly f: F }>;

/** How often things were seen, to show that something was checked. */
export interface RecordTotals {
  readonly kills: number;
  /** Of steps and of tasks. */
  readonly effects: number;
  /** Those that came again, after a kill. */
  readonly repeated: number;
}

/**
 * Checks the record of runs whose code does one step after another. `steps` are the checkpoints that each run has in the
 * end, in their order. Returns what no end of a process may lead to.
 */
export function checkWorkflowRecord(
  lines: readonly WorkflowLine[],
  steps: ReadonlyMap<string, readonly string[]>,
): Readonly<{ problems: readonly string[]; totals: RecordTotals }> {
  const check = new RecordCheck(steps);
  for (const line of lines) check.read(line);
  return { problems: check.problems, totals: check.totals };
}

class RecordCheck {
  readonly problems: string[] = [];
  readonly #steps: ReadonlyMap<string, readonly string[]>;
  readonly #killed = new Set<number>();
  /** Checkpoints that somebody knows to be recorded, and what was known when a life began to look. */
  readonly #recorded = new Set<string>();
  readonly #saved = new Set<string>();
  readonly #known = new Map<number, ReadonlySet<string>>();
  readonly #last = new Map<string, Of<"effect">>();
  readonly #furthest = new Map<string, number>();
  readonly #tasks = new Map<string, Of<"task">>();
  #effects = 0;
  #repeated = 0;

  constructor(steps: ReadonlyMap<string, readonly string[]>) {
    this.#steps = steps;
  }

  get totals(): RecordTotals {
    return { kills: this.#killed.size, effects: this.#effects, repeated: this.#repeated };
  }

  read(line: WorkflowLine): void {
    if (line.f === "kill") this.#killed.add(line.life);
    else if (line.f === "looks") this.#known.set(line.life, new Set(this.#recorded));
    else if (line.f === "found") this.#find(line);
    else if (line.f === "saved") this.#save(line);
    else if (line.f === "effect") this.#effect(line);
    else this.#task(line);
  }

  #find({ life, run, steps }: Of<"found">): void {
    for (const known of this.#known.get(life) ?? []) {
      const isThere = !known.startsWith(`${run}/`) || steps.includes(known.slice(run.length + 1));
      if (!isThere) this.problems.push(`life ${life}: the checkpoint of ${known} is gone`);
    }
    for (const step of steps) this.#recorded.add(`${run}/${step}`);
  }

  #save({ life, run, step }: Of<"saved">): void {
    const name = `${run}/${step}`;
    if (this.#saved.has(name)) this.problems.push(`life ${life}: ${name} was saved twice`);
    this.#saved.add(name);
    this.#recorded.add(name);
  }

  #effect(line: Of<"effect">): void {
    const { life, run, step, attempt, key } = line;
    const name = `${run}/${step}`;
    const where = `life ${life}: ${name}, attempt ${attempt},`;
    this.#effects += 1;
    if (this.#recorded.has(name)) this.problems.push(`${where} had its effect after its checkpoint was recorded`);
    const position = this.#steps.get(run)?.indexOf(step) ?? -1;
    if (position === -1) this.problems.push(`${where} has no checkpoint in the end`);
    if (position < (this.#furthest.get(run) ?? 0)) this.problems.push(`${where} came after a later step`);
    this.#furthest.set(run, Math.max(position, this.#furthest.get(run) ?? 0));
    const before = this.#last.get(name);
    this.#last.set(name, line);
    if (before === undefined) return;
    if (before.key !== key) this.problems.push(`${where} has the key ${key} and had ${before.key}`);
    if (before.attempt > attempt) this.problems.push(`${where} came after attempt ${before.attempt}`);
    if (before.attempt < attempt) return;
    this.#repeated += 1;
    if (!this.#killed.has(before.life)) this.problems.push(`${where} came again while life ${before.life} was well`);
  }

  #task(line: Of<"task">): void {
    const { life, id, fence } = line;
    this.#effects += 1;
    const before = this.#tasks.get(id);
    this.#tasks.set(id, line);
    if (before === undefined) return;
    this.#repeated += 1;
    if (fence <= before.fence) this.problems.push(`life ${life}: task ${id} ran twice for one delivery`);
    if (!this.#killed.has(before.life)) {
      this.problems.push(`life ${life}: task ${id} came again while life ${before.life} was well`);
    }
  }
}
