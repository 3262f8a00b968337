import { execFile } from "node:child_process";
import { join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { expect, vi } from "vitest";
import { SqliteBroker, SqliteResultBackend } from "../../adapters/entry/node.ts";
import type { TaskState } from "../../src/index.ts";
import { type ChildProgram, startProgram } from "./child-process.ts";
import { useTempDirectory } from "./temp-directory.ts";

const PROGRAMS = resolve(import.meta.dirname, "../../dist/playground/examples/task-context-mixed");
/** The queue of the example, and the id that `--overwrite` uses. */
export const MIXED = "task-context-mixed";
const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const ENQUEUED = new RegExp(
  `^Enqueued demo\\.inline_parent id=(${UUID}|${MIXED}) runId=(\\d+) forceFail=(true|false)$`,
);
const QUEUED = new RegExp(
  `^\\[inline_parent\\] queued inline=(${UUID}) isolate=(${UUID}) audit=(${UUID}) flaky=(\\S+)$`,
);
const AUDIT_OF_UNKNOWN_ID = new RegExp(`^\\[audit\\] id=${UUID} (?=.*(?:completed|direct enqueue)$)`);

/** A folder for one test, and the files that both programs are told to use. */
export interface MixedFolder {
  readonly path: string;
  readonly broker: string;
  readonly backend: string;
}

/** One run, as the producer announced it. */
export interface MixedRun {
  readonly parent: string;
  readonly runId: string;
  readonly forceFail: boolean;
}

/** How the producer ended, and what it said. */
export interface ProducerOutcome {
  readonly code: number;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** What the two files say once nobody has them open. */
export interface MixedOutcome {
  readonly states: readonly (TaskState | undefined)[];
  /** Messages that could be delivered, or are leased. */
  readonly left: number;
  readonly deadLetters: readonly unknown[];
}

/** Makes the folder of a test. */
export function useMixedFolder(): MixedFolder {
  const path = useTempDirectory();
  const file = (name: string): string => join(path, `task_context_mixed_${name}.sqlite`);
  return { path, broker: file("broker"), backend: file("backend") };
}

const variablesFor = ({ path }: MixedFolder): { STEM_SQLITE_PATH: string } => ({ STEM_SQLITE_PATH: `${path}${sep}` });

/** Starts the worker. Resolves when it has printed its first line, letter for letter. */
export async function startMixedWorker(folder: MixedFolder): Promise<ChildProgram> {
  for (const [name, value] of Object.entries(variablesFor(folder))) vi.stubEnv(name, value);
  const worker = startProgram(join(PROGRAMS, "worker"));
  vi.unstubAllEnvs();
  await worker.seen(`Worker started. SQLite broker: ${folder.broker} backend: ${folder.backend}`);
  return worker;
}

/** Runs the producer to its end. */
export async function runProducer(folder: MixedFolder, ...flags: readonly string[]): Promise<ProducerOutcome> {
  const env = { ...process.env, ...variablesFor(folder) };
  const program = promisify(execFile)(process.execPath, [join(PROGRAMS, "enqueue.js"), ...flags], { env });
  const { code, stdout, stderr } = await program.then(
    (output) => ({ ...output, code: 0 }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code, lines: stdout.split("\n").filter((line) => line !== ""), errors: stderr.trim() };
}

/** Enqueues one run and checks every letter of what the producer says. */
export async function enqueueMixed(folder: MixedFolder, ...flags: readonly string[]): Promise<MixedRun> {
  const { code, lines, errors } = await runProducer(folder, ...flags);
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
  const [first = "", ...rest] = lines;
  expect(first).toMatch(ENQUEUED);
  const [, parent = "", runId = "", forceFail] = ENQUEUED.exec(first) ?? [];
  const isOverwrite = flags.includes("--overwrite");
  expect(rest).toEqual(isOverwrite ? [`Overwrote task id=${MIXED}`] : []);
  return { parent, runId: isOverwrite ? `${runId}_overwrite` : runId, forceFail: forceFail === "true" };
}

/** Resolves with the first line that begins so, once the program has printed it; rejects when it ends before. */
export async function firstLine(program: ChildProgram, start: string): Promise<string> {
  for (;;) {
    const found = program.lines.find((line) => line.startsWith(start));
    if (found !== undefined) return found;
    await program.printed(program.lines.length + 1);
  }
}

/** Asks the worker to end, and checks how it does. */
export async function stopWorker(worker: ChildProgram, signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<void> {
  worker.process.kill(signal);
  expect(await worker.ended).toBe(0);
  expect(worker.lines.filter((line) => line === "Shutdown requested.")).toHaveLength(1);
  expect(worker.lines.at(-1)).toBe("Shutdown requested.");
}

/** Every line of one run, each to be printed once. The ids of audits that no line announces are given as `<id>`. */
export function linesOfRun({ parent, runId, forceFail }: MixedRun, printed: readonly string[]): string[] {
  const { inline, isolate, audit } = childrenIn(printed);
  const flaky = `flaky-${runId}`;
  const meta = {
    "stem.task": "demo.inline_entrypoint",
    "stem.queue": MIXED,
    source: "inline-parent",
    "stem.ignoreResult": true,
  };
  return [
    `[inline_parent] id=${parent} attempt=0 runId=${runId}`,
    `[inline_parent] queued inline=${inline} isolate=${isolate} audit=${audit} flaky=${flaky}`,
    `[audit] id=${audit} runId=${runId} message=inline parent scheduled child tasks`,
    ...(forceFail ? [0, 1, 2] : [0, 1]).map(
      (attempt) => `[flaky] id=${flaky} attempt=${attempt} runId=${runId} forceFail=${forceFail}`,
    ),
    forceFail
      ? `[link_error] id=${flaky}-link-error runId=${runId} source=link_error`
      : `[link_success] id=${flaky}-link runId=${runId} source=link`,
    `[inline_entrypoint] id=${inline} attempt=0 runId=${runId} meta=${JSON.stringify(meta)}`,
    `[audit] id=<id> runId=${runId} message=inline entrypoint completed`,
    `[isolate_child] id=${isolate} attempt=0 runId=${runId}`,
    `[audit] id=<id> runId=${runId} message=isolate child used direct enqueue`,
  ];
}

/** The ids of everything that a run is known to enqueue, and of itself. */
export function idsOfRun({ parent, runId, forceFail }: MixedRun, printed: readonly string[]): string[] {
  const { inline, isolate, audit } = childrenIn(printed);
  const flaky = `flaky-${runId}`;
  return [parent, inline, isolate, audit, flaky, forceFail ? `${flaky}-link-error` : `${flaky}-link`];
}

/** The lines without the ids that nobody announces, so that they can be compared with {@link linesOfRun}. */
export function withoutUnknownIds(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(AUDIT_OF_UNKNOWN_ID, "[audit] id=<id> "));
}

/** Checks the order of one run's lines where it is defined: each of a group comes after the one before it. */
export function expectOrder({ forceFail, runId }: MixedRun, lines: readonly string[]): void {
  const flaky = (attempt: number): string => `[flaky] id=flaky-${runId} attempt=${attempt} `;
  const groups = [
    ["Worker started.", "[inline_parent] id=", "[inline_parent] queued "],
    ["[inline_parent] id=", "scheduled child tasks"],
    ["[inline_parent] id=", "[inline_entrypoint] id=", "inline entrypoint completed"],
    ["[inline_parent] id=", "[isolate_child] id=", "isolate child used direct enqueue"],
    forceFail ? [flaky(0), flaky(1), flaky(2), "[link_error] id="] : [flaky(0), flaky(1), "[link_success] id="],
  ];
  for (const group of groups) {
    const places = group.map((part) => lines.findIndex((line) => line.includes(part)));
    expect(places, group.join(" < ")).toEqual(places.toSorted((one, other) => one - other));
  }
}

/** Opens both files and reads what became of these tasks. */
export async function outcomeOf(folder: MixedFolder, ids: readonly string[]): Promise<MixedOutcome> {
  await using broker = await SqliteBroker.open(folder.broker);
  await using backend = await SqliteResultBackend.open(folder.backend);
  const statuses = await Promise.all(ids.map((id) => backend.get(id)));
  const { entries } = await broker.listDeadLetters(MIXED);
  return {
    states: statuses.map((status) => status?.state),
    left: Number(await broker.pendingCount(MIXED)) + Number(await broker.inflightCount(MIXED)),
    deadLetters: entries.map(({ envelope: { id, attempt }, reason, meta }) => ({ id, attempt, reason, meta })),
  };
}

/** The children that the parent's last line announces. */
function childrenIn(lines: readonly string[]): { inline: string; isolate: string; audit: string } {
  const [, inline = "", isolate = "", audit = ""] =
    lines.map((line) => QUEUED.exec(line)).find((match) => match !== null) ?? [];
  return { inline, isolate, audit };
}
