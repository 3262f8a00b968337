// Runs 300 jobs on real files, kills the working process half-way, and shows from the files that nothing was lost.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CONCURRENCY, EXPECTED } from "./jobs.ts";
import type { ChildTask, FromChild } from "./messages.ts";
import { ProgressLine } from "./progress-line.ts";
import { type DemoReport, readReport } from "./report.ts";

const HALF_WAY = EXPECTED.enqueued / 2;

/** What the demo has seen itself: its own record, apart from the files. */
interface Witness {
  readonly acknowledged: Set<string>;
  readonly ended: Set<string>;
  readonly redelivered: Set<string>;
}

interface Files {
  readonly brokerFile: string;
  readonly backendFile: string;
}

function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Two file names in a folder where neither exists: a new one, or that of `STEM_DEMO_DIR`. */
function prepareFiles(): Files {
  const chosen = process.env["STEM_DEMO_DIR"];
  const folder = chosen === undefined || chosen === "" ? mkdtempSync(join(tmpdir(), "stem-demo-")) : resolve(chosen);
  mkdirSync(folder, { recursive: true });
  const files = { brokerFile: join(folder, "demo_broker.sqlite"), backendFile: join(folder, "demo_backend.sqlite") };
  for (const file of Object.values(files)) {
    for (const end of ["", "-stemwal", "-stemjournal", ".lock"]) rmSync(file + end, { force: true, recursive: true });
  }
  return files;
}

/** Runs one working process to its end, or to the kill. */
async function runChild(
  files: Files,
  witness: Witness,
  progress: ProgressLine,
  killAt?: number,
): Promise<ChildProcess> {
  const task: ChildTask = { ...files, acknowledged: [...witness.acknowledged], ended: [...witness.ended] };
  const child = fork(new URL("./child.js", import.meta.url), [JSON.stringify(task)]);
  const note = (): string => `${witness.acknowledged.size} enqueued, worked on by process ${child.pid}`;
  let isFinished = false;
  child.on("message", (message: FromChild) => {
    if (message.type === "finished") isFinished = true;
    else if (message.type === "holding" && message.jobs === CONCURRENCY) child.kill("SIGKILL");
    else if (message.type === "holding") return;
    else witness[message.type].add(message.id);
    if (message.type === "ended" && witness.ended.size === killAt) child.send({ type: "hold" });
    progress.show(witness.ended.size, EXPECTED.enqueued, note());
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  progress.end();
  if (killAt === undefined ? !isFinished : signal !== "SIGKILL") {
    throw new Error(`The working process ended with ${signal ?? `exit code ${code}`}.`);
  }
  return child;
}

function table(rows: readonly (readonly [string, string | number])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) say(`  ${name.padEnd(width)}  ${String(value).padStart(5)}`);
}

function showReport(report: DemoReport, witness: Witness): void {
  say("Read back from the files by this process:");
  say();
  table([
    ["enqueued and acknowledged", witness.acknowledged.size],
    ["succeeded", report.succeeded],
    ["failed, now dead letters", report.failed],
    ["ended only after a retry", report.retried],
    ["given out again after the kill", witness.redelivered.size],
    ["still waiting", report.waiting],
    ["lost", report.lost.length],
  ]);
  say();
}

function showFiles({ brokerFile, backendFile }: Files): void {
  say("The files, closed and readable for every SQLite tool:");
  say();
  for (const file of [brokerFile, backendFile]) say(`  ${file}  (${Math.ceil(statSync(file).size / 1024)} KiB)`);
  say();
  say(`  sqlite3 ${backendFile} "select state, count(*) from task_results group by state"`);
  say(`  sqlite3 ${brokerFile} "select id, reason from dead_letters"`);
}

const startedAt = performance.now();
const files = prepareFiles();
const witness: Witness = { acknowledged: new Set(), ended: new Set(), redelivered: new Set() };
const progress = new ProgressLine(process.stdout);

say(`${EXPECTED.enqueued} jobs on two SQLite files: mails, of which some fail at first; reports, of which some always`);
say("fail; reminders, which are due later. Another process enqueues them and works on them, four at a time.");
say();
const killed = await runChild(files, witness, progress, HALF_WAY);
say(
  `  Process ${killed.pid} was killed with SIGKILL in the middle of ${CONCURRENCY} jobs. The next one opens the same files.`,
);
await runChild(files, witness, progress);
say();

const report = await readReport(files.brokerFile, files.backendFile, witness.acknowledged);
showReport(report, witness);
showFiles(files);
say();
const isComplete = witness.acknowledged.size === EXPECTED.enqueued && report.waiting === 0;
const isFine = isComplete && report.lost.length === 0;
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
say(
  isFine
    ? `Nothing was lost, in ${seconds} s.`
    : `LOST: ${report.lost.join(", ") || "nothing, yet not everything ended"}`,
);
process.exitCode = isFine ? 0 : 1;
