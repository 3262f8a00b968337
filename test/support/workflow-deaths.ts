import { join } from "node:path";
import { expect } from "vitest";
import { SqliteWorkflowStore } from "../../adapters/entry/node.ts";
import { checkDatabase } from "./database-check.ts";
import { checkWorkflowRecord, type RecordTotals } from "./check-workflow-record.ts";
import { type ChildProgram, startProgram } from "./child-process.ts";
import { hasOpen } from "./process-crowd.ts";
import { readWorkflowRecord, type WorkflowLine, WorkflowRecord } from "./workflow-record.ts";

/** One process that runs workflows. */
export interface WorkflowLife {
  readonly number: number;
  readonly program: ChildProgram;
}

/** What a run came to: all that has to be the same however often its processes end. */
export type RunGist = Readonly<Record<string, unknown>>;

/** Lives of the program `workflow-life` on one file, and what they recorded. */
export class WorkflowDeaths {
  readonly file: string;
  readonly #examples: readonly string[];
  readonly #recordFile: string;
  readonly #record: WorkflowRecord;
  readonly #lives: WorkflowLife[] = [];

  constructor(folder: string, name: string, examples: readonly string[]) {
    this.file = join(folder, `${name}.sqlite`);
    this.#recordFile = join(folder, `${name}.record`);
    this.#record = new WorkflowRecord(this.#recordFile);
    this.#examples = examples;
  }

  /** With `step`, it waits for one byte after each line it says. */
  start(mode: "run" | "step" = "run"): WorkflowLife {
    const number = this.#lives.length;
    const args = [this.file, this.#recordFile, String(number), this.#examples.join(","), mode];
    const life = { number, program: startProgram("workflow-life", args) };
    this.#lives.push(life);
    return life;
  }

  /** Says so in the record first: nobody may take over from whoever is not in there. */
  async kill({ number, program }: WorkflowLife): Promise<void> {
    this.#record.append({ f: "kill", life: number });
    await program.kill();
  }

  /** The one that has the database open, when there is one; by its open files, so on Linux only. */
  owner(): WorkflowLife | undefined {
    return this.#lives.find(
      ({ program: { process: child } }) =>
        child.exitCode === null && child.signalCode === null && hasOpen(child.pid, this.file),
    );
  }

  /** Reads what all runs came to, once no life is left, and checks the file and how it came about. */
  async verdict(): Promise<Readonly<{ runs: readonly RunGist[]; totals: RecordTotals }>> {
    this.#record.close();
    const lines = readWorkflowRecord(this.#recordFile);
    const steps = new Map<string, readonly string[]>();
    const runs: RunGist[] = [];
    const store = await SqliteWorkflowStore.open(this.file);
    try {
      for (const runId of this.#examples) {
        const run = await store.get(runId);
        const entries = await store.listSteps(runId);
        expect(entries.map(({ position }) => position)).toEqual(entries.map((_, index) => index));
        steps.set(
          runId,
          entries.map(({ name }) => name),
        );
        const recorded = entries.map(({ name, kind, value, error }) => ({ name, kind, value, error: error?.message }));
        runs.push({
          runId,
          status: run?.status,
          result: run?.result,
          error: run?.lastError?.message,
          recorded,
          effects: effectsOf(lines, runId),
        });
      }
    } finally {
      await store.close();
    }
    const { problems, totals } = checkWorkflowRecord(lines, steps);
    expect(problems.slice(0, 20)).toEqual([]);
    expect(await checkDatabase(this.file)).toEqual([]);
    return { runs, totals };
  }
}

/** What had an effect at least once: the steps of a run, and the tasks that it enqueued, by their ids. */
function effectsOf(lines: readonly WorkflowLine[], runId: string): readonly string[] {
  const names = lines.flatMap((line) => {
    if (line.f === "effect" && line.run === runId) return [`step ${line.step}, attempt ${line.attempt}`];
    return line.f === "task" && line.id.startsWith(`${runId}/`) ? [`task ${line.id}`] : [];
  });
  return [...new Set(names)].toSorted();
}
