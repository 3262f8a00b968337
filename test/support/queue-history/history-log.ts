import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Outcome, QueueRecord } from "./history-record.ts";

/** Keys of a record that the log fills in. */
type Filled = "process" | "invoked" | "completed" | "outcome" | "code";
/** What a process says of one thing it does or sees. */
export type Said = QueueRecord extends infer One ? (One extends QueueRecord ? Omit<One, Filled> : never) : never;

interface Asked {
  readonly n: number;
  readonly record: object;
  readonly at: number;
}

interface Answered {
  readonly n: number;
  readonly outcome: Outcome;
  readonly code?: string;
  readonly at: number;
}

/** Microseconds of the clock that all processes of a machine share; see `history-record.ts`. */
export function microseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/**
 * A file to which one process appends all it does: a line before each call and one after it, each with the operating
 * system before the process goes on, so that whatever kills it leaves a call that was asked for and not answered.
 */
export class HistoryLog {
  readonly #fd: number;
  readonly #process: string;
  #next = 0;

  constructor(file: string, processName: string) {
    this.#fd = openSync(file, "a");
    this.#process = processName;
  }

  /** Something that was seen, or that lasted until now. */
  saw(record: Said, since: number = microseconds(), until: number = since): void {
    this.#write({ n: this.#next, record: { ...record, process: this.#process }, at: since });
    this.#write({ n: this.#next++, outcome: "ok", at: until });
  }

  /** Makes a call; `undefined` when it failed, which is in the log. */
  async call<T>(record: Said, run: () => Promise<T>): Promise<T | undefined> {
    const n = this.#next++;
    this.#write({ n, record: { ...record, process: this.#process }, at: microseconds() });
    try {
      const value = await run();
      this.#write({ n, outcome: "ok", at: microseconds() });
      return value;
    } catch (error) {
      const { code, outcome } = error as Readonly<{ code?: unknown; outcome?: unknown }>;
      const known = outcome === "not-applied" ? "fail" : "info";
      this.#write({ n, outcome: known, code: String(code ?? error), at: microseconds() });
      return undefined;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(line: Asked | Answered): void {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`);
  }
}

/** Reads a log that was closed or that the end of its process cut. */
export function readHistoryLog(file: string): readonly QueueRecord[] {
  const calls = new Map<number, { record: object; invoked: number; answer?: Answered }>();
  const lines = readFileSync(file, "utf8").split("\n");
  // What stands behind the last line break was cut.
  for (const text of lines.slice(0, -1)) {
    const line = JSON.parse(text) as Asked | Answered;
    const call = calls.get(line.n);
    if ("record" in line) calls.set(line.n, { record: line.record, invoked: line.at });
    else if (call !== undefined) call.answer = line;
  }
  return [...calls.values()].map(({ record, invoked, answer }) => {
    const times = { invoked, ...(answer === undefined ? {} : { completed: answer.at }) };
    const code = answer?.code === undefined ? {} : { code: answer.code };
    return { ...record, ...times, ...code, outcome: answer?.outcome ?? "info" } as QueueRecord;
  });
}
