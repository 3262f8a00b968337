import { execFile } from "node:child_process";

/** What a foreign program in a loop met. */
export interface ForeignCounts {
  /** "file is not a database": somebody of ours has it open, or was killed with it. */
  refused: number;
  /** Between a clean close and the next open the file is an ordinary one. */
  allowed: number;
  other: Map<string, number>;
}

/** Reads, writes that change no content, and what people type. */
const STATEMENTS = [
  "select count(*) from queue_jobs",
  "pragma integrity_check",
  "update queue_jobs set priority = priority",
  "pragma wal_checkpoint(truncate)",
  "begin immediate; update queue_jobs set deliveries = deliveries; commit",
];

/** Runs the `sqlite3` program on a file again and again until it is stopped; `stop` resolves to what it met. */
export function startForeignLoop(file: string): Readonly<{ stop(): Promise<ForeignCounts> }> {
  const counts: ForeignCounts = { refused: 0, allowed: 0, other: new Map() };
  let isStopped = false;
  const run = async (): Promise<void> => {
    for (let round = 0; !isStopped; round++) {
      const output = await runOnce(file, STATEMENTS[round % STATEMENTS.length] ?? "");
      if (output === undefined) counts.allowed += 1;
      else if (output.includes("file is not a database")) counts.refused += 1;
      else counts.other.set(output, (counts.other.get(output) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const done = run();
  return {
    stop: async () => {
      isStopped = true;
      await done;
      return counts;
    },
  };
}

/** Returns what it complained of. */
function runOnce(file: string, sql: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("sqlite3", ["-batch", file, sql], (error, _, complaint) => {
      resolve(error === null ? undefined : complaint.trim() || error.message);
    });
  });
}
