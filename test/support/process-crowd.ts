import { existsSync, mkdirSync, readdirSync, readlinkSync, realpathSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import type { Randomness } from "../../src/index.ts";
import { type ChildProgram, startProgram } from "./child-process.ts";
import { microseconds, readHistoryLog } from "./queue-history/history-log.ts";
import type { LifeRecord, QueueRecord } from "./queue-history/history-record.ts";
import type { SharedWorkSettings } from "./queue-history/shared-work-settings.ts";

/** One process of a crowd. */
export interface CrowdMember {
  readonly name: string;
  readonly program: ChildProgram;
  state: "running" | "paused" | "leaving" | "gone";
}

/** What was done to a crowd. */
export interface CrowdCounts {
  killed: number;
  paused: number;
  closed: number;
  exited: number;
}

/** How long a process may take to close once everything else runs; for a failure with words instead of a time-out. */
const CLOSING_MS = 60_000;

/** Processes of the program `shared-work` on one file, each reaching it by another name of it. */
export class ProcessCrowd {
  readonly file: string;
  readonly counts: CrowdCounts = { killed: 0, paused: 0, closed: 0, exited: 0 };
  /** What they had against opening, and how their consumers failed, as they printed it. */
  readonly complaints: Map<string, number> = new Map<string, number>();
  readonly problems: string[] = [];
  readonly #folder: string;
  readonly #aliases: readonly string[];
  readonly #settings: SharedWorkSettings;
  readonly #seed: number;
  readonly #members: CrowdMember[] = [];
  readonly #lives: LifeRecord[] = [];
  readonly #pauses = new Set<Promise<void>>();

  constructor(folder: string, seed: number, settings: SharedWorkSettings) {
    this.#folder = folder;
    this.#seed = seed;
    this.#settings = settings;
    const home = join(folder, "home");
    mkdirSync(join(home, "below"), { recursive: true });
    mkdirSync(join(folder, "logs"));
    symlinkSync(home, join(folder, "link"));
    this.file = join(home, "queue.sqlite");
    this.#aliases = [
      this.file,
      relative(process.cwd(), this.file),
      join(folder, "link", "queue.sqlite"),
      `${home}/./below/../queue.sqlite`,
    ];
  }

  /** Those that can be used for something. */
  get running(): readonly CrowdMember[] {
    return this.#members.filter(({ state }) => state === "running");
  }

  start(): CrowdMember {
    const number = this.#members.length;
    const name = `p${number}`;
    const alias = this.#aliases[number % this.#aliases.length] ?? this.file;
    const log = join(this.#folder, "logs", `${name}.log`);
    const args = [alias, log, name, String(this.#seed * 7919 + number), JSON.stringify(this.#settings)];
    const member: CrowdMember = { name, program: startProgram("shared-work", args), state: "running" };
    this.#members.push(member);
    void member.program.ended.then((code) => this.#onEnd(member, code));
    return member;
  }

  /** The process that has the database open, when there is one; by its open files, so on Linux only. */
  owner(): CrowdMember | undefined {
    const file = realpathSync(this.file);
    return this.#members.find(({ state, program }) => state !== "gone" && hasOpen(program.process.pid, file));
  }

  kill(member: CrowdMember): void {
    this.#end(member);
    this.counts.killed += 1;
    member.state = "leaving";
    member.program.process.kill("SIGKILL");
  }

  /** Asks it to close. */
  close(member: CrowdMember): void {
    this.#end(member);
    this.counts.closed += 1;
    member.state = "leaving";
    member.program.process.kill("SIGTERM");
  }

  pause(member: CrowdMember, forMs: number): void {
    const pause = this.#pause(member, forMs);
    this.#pauses.add(pause);
    void pause.finally(() => this.#pauses.delete(pause));
  }

  /** Lets everybody go on and close, and waits until all are gone. */
  async closeAll(): Promise<void> {
    await Promise.all(this.#pauses);
    for (const member of this.running) {
      await Promise.race([member.program.seen("open"), member.program.ended]).catch(() => undefined);
      if (member.state === "running") this.close(member);
    }
    const slow = setTimeout(() => {
      for (const { name, program, state } of this.#members) {
        if (state === "gone") continue;
        this.problems.push(`${name} does not end; it said ${program.lines.slice(-3).join(", ")}`);
        program.process.kill("SIGKILL");
      }
    }, CLOSING_MS);
    await Promise.all(this.#members.map(({ program }) => program.ended));
    clearTimeout(slow);
  }

  /** All that they logged and that was done to them. */
  history(): readonly QueueRecord[] {
    const logs = this.#members
      .map(({ name }) => join(this.#folder, "logs", `${name}.log`))
      .filter((log) => existsSync(log))
      .flatMap(readHistoryLog);
    return [...logs, ...this.#lives];
  }

  async #pause(member: CrowdMember, forMs: number): Promise<void> {
    const since = microseconds();
    this.counts.paused += 1;
    member.state = "paused";
    member.program.process.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, forMs));
    member.program.process.kill("SIGCONT");
    this.#live(member, "pause", since);
    if (member.state === "paused") member.state = "running";
  }

  #end(member: CrowdMember): void {
    this.#live(member, "end", microseconds());
  }

  #live({ name }: CrowdMember, op: LifeRecord["op"], since: number): void {
    this.#lives.push({ op, process: name, invoked: since, completed: microseconds(), outcome: "ok" });
  }

  #onEnd(member: CrowdMember, code: number | null): void {
    const { state, name, program } = member;
    member.state = "gone";
    for (const line of program.lines) {
      if (line !== "open") this.complaints.set(line, (this.complaints.get(line) ?? 0) + 1);
    }
    if (code === 3) this.counts.exited += 1;
    else if (code !== 0 && (state !== "leaving" || code !== null)) {
      this.problems.push(`${name} ended with ${code}; it said ${program.lines.slice(-3).join(", ")}`);
    }
  }
}

/** One of a list, by chance; `undefined` of an empty one. */
export function anyOf<T>(list: readonly T[], { number }: Pick<Randomness, "number">): T | undefined {
  return list[Math.floor(number() * list.length)];
}

export function hasOpen(pid: number | undefined, file: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((fd) => linkOf(join(folder, fd)) === file);
  } catch {
    // It ended meanwhile.
    return false;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed meanwhile.
    return undefined;
  }
}
