import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { onTestFinished } from "vitest";

const PROGRAMS = resolve(import.meta.dirname, "../../dist/test/torture/programs");

/** A program of test/torture/programs in a process of its own. */
export interface ChildProgram {
  readonly process: ChildProcess;
  /** Every whole line it has printed so far. */
  readonly lines: readonly string[];
  /** Resolves once it has printed this line; rejects when it ends before. */
  seen(line: string): Promise<void>;
  /** Resolves once it has printed so many lines; rejects when it ends before. */
  printed(count: number): Promise<void>;
  /** Resolves, when it is gone and its output was read, with its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Sends it a line. */
  write(line: string): void;
  endInput(): void;
  /** Sends SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a program by its file name without extension, with Node or with the command of another runtime. It is killed
 * when the current test ends.
 */
export function startProgram(
  name: string,
  args: readonly string[] = [],
  [command, ...first]: readonly [string, ...string[]] = [process.execPath],
): ChildProgram {
  const child = spawn(command, [...first, resolve(PROGRAMS, `${name}.js`), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const arrived = new Set<() => void>();
  let tail = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (tail + chunk).split("\n");
    // A line that was cut by the end of the program was never said.
    tail = parts.pop() ?? "";
    lines.push(...parts);
    for (const look of arrived) look();
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    const found = new Promise<void>((done) => {
      const look = (): void => {
        if (!condition()) return;
        arrived.delete(look);
        done();
      };
      arrived.add(look);
      look();
    });
    const early = ended.then((code) => {
      throw new Error(`The program ended with ${code} before it ${what}.`);
    });
    await Promise.race([found, early]);
  };
  return {
    process: child,
    lines,
    ended,
    kill,
    write: (line) => void child.stdin.write(`${line}\n`),
    endInput: () => void child.stdin.end(),
    seen: (line) => until(() => lines.includes(line), `said "${line}"`),
    printed: (count) => until(() => lines.length >= count, `printed ${count} lines`),
  };
}
