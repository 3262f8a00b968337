import { readdirSync } from "node:fs";
import { basename, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { SqliteBroker } from "../../adapters/entry/node.ts";
import { resolveDatabasePaths } from "../../playground/examples/task-context-mixed/database-paths.ts";
import type { ChildProgram } from "../support/child-process.ts";
import { checkDatabase, hasSqliteProgram, runSqliteProgram } from "../support/database-check.ts";
import {
  enqueueMixed,
  expectOrder,
  firstLine,
  idsOfRun,
  linesOfRun,
  MIXED,
  type MixedFolder,
  type MixedRun,
  outcomeOf,
  runProducer,
  startMixedWorker,
  stopWorker,
  useMixedFolder,
  withoutUnknownIds,
} from "../support/task-context-mixed.ts";

const SUCCEEDED = ["succeeded", "succeeded", "succeeded", "succeeded", "succeeded", "succeeded"];
/** Lines of the worker itself: its start and its end. */
const FRAME = 2;

/** Waits for all lines of a run, stops the worker, and checks that it printed these lines and no others. */
async function finish(folder: MixedFolder, worker: ChildProgram, run: MixedRun): Promise<void> {
  await worker.printed(linesOfRun(run, []).length + FRAME - 1);
  await stopWorker(worker);
  const [started = "", ...rest] = withoutUnknownIds(worker.lines);
  const expected = [...linesOfRun(run, worker.lines), "Shutdown requested."];
  expect(rest.toSorted()).toEqual(expected.toSorted());
  expect(started).toBe(`Worker started. SQLite broker: ${folder.broker} backend: ${folder.backend}`);
  expectOrder(run, worker.lines);
}

async function expectClean({ path, broker, backend }: MixedFolder): Promise<void> {
  expect(readdirSync(path).sort()).toEqual([backend, broker].map((file) => basename(file)));
  for (const file of [broker, backend]) expect(await checkDatabase(file)).toEqual([]);
}

describe("torture/task-context-mixed", () => {
  it("runs parent, children, retry and link, and prints each line once", async () => {
    const folder = useMixedFolder();
    const worker = await startMixedWorker(folder);
    const run = await enqueueMixed(folder);
    await finish(folder, worker, run);
    await expectClean(folder);
    const outcome = await outcomeOf(folder, idsOfRun(run, worker.lines));
    expect(outcome).toEqual({ states: SUCCEEDED, left: 0, deadLetters: [] });
  });

  it("fails for good with --fail: three attempts, one dead letter, and link_error once", async () => {
    const folder = useMixedFolder();
    const worker = await startMixedWorker(folder);
    const run = await enqueueMixed(folder, "--fail");
    expect(run.forceFail).toBe(true);
    await finish(folder, worker, run);
    await expectClean(folder);
    const flaky = `flaky-${run.runId}`;
    const { states, left, deadLetters } = await outcomeOf(folder, [...idsOfRun(run, worker.lines), `${flaky}-link`]);
    expect(states).toEqual(["succeeded", "succeeded", "succeeded", "succeeded", "failed", "succeeded", undefined]);
    expect(left).toBe(0);
    const error = `StateError: Forced failure for runId=${run.runId}`;
    expect(deadLetters).toEqual([{ id: flaky, attempt: 2, reason: "max-retries-exhausted", meta: { error } }]);
  });

  it("runs the second of two enqueues under one id only, although the worker is idle", async () => {
    const folder = useMixedFolder();
    const worker = await startMixedWorker(folder);
    const run = await enqueueMixed(folder, "--overwrite");
    await finish(folder, worker, run);
    const outcome = await outcomeOf(folder, idsOfRun(run, worker.lines));
    expect(outcome).toEqual({ states: SUCCEEDED, left: 0, deadLetters: [] });
  });

  it("replaces what an earlier producer left under the id, and fails both flags at once", async () => {
    const folder = useMixedFolder();
    await enqueueMixed(folder, "--overwrite");
    const run = await enqueueMixed(folder, "--overwrite", "--fail");
    await finish(folder, await startMixedWorker(folder), run);
  });

  it("says so, and enqueues nothing, when a worker holds the message that is to be overwritten", async () => {
    const folder = useMixedFolder();
    const { runId } = await enqueueMixed(folder, "--overwrite");
    await using broker = await SqliteBroker.open(folder.broker);
    const consumer = broker.consume({ queues: [MIXED] });
    const { value: held } = await consumer.next();
    expect(await runProducer(folder, "--overwrite")).toEqual({
      code: 1,
      lines: [],
      errors: `Not overwritten: a worker holds the task id=${MIXED}. Nothing was enqueued.`,
    });
    expect(held?.envelope.args).toEqual({ runId, forceFail: false });
    if (held !== undefined) await broker.nack(held);
    const { value: again } = await consumer.next();
    expect(again?.envelope.args).toEqual({ runId, forceFail: false });
  });

  it("waits for the worker when the producer was first; sqlite3 reads both files in the end", async ({ skip }) => {
    const folder = useMixedFolder();
    const run = await enqueueMixed(folder);
    const worker = await startMixedWorker(folder);
    await finish(folder, worker, run);
    await expectClean(folder);
    skip(!hasSqliteProgram, "the sqlite3 program is not installed");
    const succeeded = "select count(*) from task_results where state = 'succeeded'";
    expect(runSqliteProgram(folder.broker, "pragma integrity_check; select count(*) from queue_jobs")).toEqual({
      status: 0,
      output: "ok\n0",
    });
    expect(runSqliteProgram(folder.backend, `pragma integrity_check; ${succeeded}`).output).toBe("ok\n8");
  });

  it.each(["[inline_parent] id=", "[flaky] id=", "[isolate_child] id="])(
    "finishes everything in a second worker when the first is killed after %s",
    async (start) => {
      const folder = useMixedFolder();
      const killed = await startMixedWorker(folder);
      const run = await enqueueMixed(folder);
      await firstLine(killed, start);
      await killed.kill();
      const next = await startMixedWorker(folder);
      const printed = (): string[] => [...killed.lines, ...next.lines];
      const isComplete = (): boolean => {
        const lines = new Set(withoutUnknownIds(printed()));
        return linesOfRun(run, printed()).every((line) => lines.has(line));
      };
      // What was under way may be printed a second time, so that the lines are no count to wait for.
      while (!isComplete()) await next.printed(next.lines.length + 1);
      await stopWorker(next);
      const links = printed().filter((line) => line.startsWith("[link_"));
      expect(new Set(links)).toEqual(
        new Set([`[link_success] id=flaky-${run.runId}-link runId=${run.runId} source=link`]),
      );
      await expectClean(folder);
      const { states, deadLetters } = await outcomeOf(folder, idsOfRun(run, printed()));
      expect({ states, deadLetters }).toEqual({ states: SUCCEEDED, deadLetters: [] });
    },
  );

  it.each(["SIGTERM", "SIGINT"] as const)("ends an idle worker with exit code 0 at %s", async (signal) => {
    const folder = useMixedFolder();
    const worker = await startMixedWorker(folder);
    await stopWorker(worker, signal);
    expect(worker.lines).toHaveLength(FRAME);
    await expectClean(folder);
  });
});

describe("the paths of task-context-mixed", () => {
  const named = { broker: "task_context_mixed_broker.sqlite", backend: "task_context_mixed_backend.sqlite" };

  it.each([
    [{}, named],
    [{ STEM_SQLITE_PATH: "" }, named],
    [{ STEM_SQLITE_PATH: "mine" }, { broker: "mine_broker.sqlite", backend: "mine_backend.sqlite" }],
    [{ STEM_SQLITE_PATH: "a.b/mine.db" }, { broker: "a.b/mine_broker.sqlite", backend: "a.b/mine_backend.sqlite" }],
    [{ STEM_SQLITE_PATH: "a.b/mine" }, { broker: "a.b/mine_broker.sqlite", backend: "a.b/mine_backend.sqlite" }],
    [{ STEM_SQLITE_PATH: ".hidden" }, { broker: ".hidden_broker.sqlite", backend: ".hidden_backend.sqlite" }],
    [{ STEM_SQLITE_PATH: `d${sep}` }, { broker: `d${sep}${named.broker}`, backend: `d${sep}${named.backend}` }],
    [
      { STEM_SQLITE_BROKER_PATH: " b.db ", STEM_SQLITE_PATH: "x" },
      { broker: "b.db", backend: named.backend },
    ],
    [
      { STEM_SQLITE_BACKEND_PATH: "r.db", STEM_SQLITE_BROKER_PATH: "  " },
      { broker: named.broker, backend: "r.db" },
    ],
    [
      { STEM_SQLITE_BROKER_PATH: "b.db", STEM_SQLITE_BACKEND_PATH: "r.db" },
      { broker: "b.db", backend: "r.db" },
    ],
  ])("%j gives %j", (environment, paths) => {
    expect(resolveDatabasePaths(environment)).toEqual(paths);
  });
});
