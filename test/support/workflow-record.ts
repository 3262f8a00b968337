import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";

/** One line of what several lives of a program wrote while they ran workflows, in the order in which it happened. */
export type WorkflowLine = Readonly<
  { life: number } & (
    | { f: "kill" }
    /** It begins to read what checkpoints there are. */
    | { f: "looks" }
    /** What it has read of one run, before it began to work. */
    | { f: "found"; run: string; steps: readonly string[] }
    /** A step, or its compensation, has its effect. */
    | { f: "effect"; run: string; step: string; attempt: number; key: string }
    /** The store has said that the checkpoint is recorded. */
    | { f: "saved"; run: string; step: string }
    | { f: "task"; id: string; fence: number }
  )
>;

/** A file that several processes append to: each line is one write, so that none is torn or mixed with another. */
export class WorkflowRecord {
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, "a");
  }

  append(line: WorkflowLine): void {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** All lines of a record; none when nobody wrote one. */
export function readWorkflowRecord(file: string): readonly WorkflowLine[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line) as WorkflowLine);
}
