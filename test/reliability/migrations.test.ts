import { describe, expect, it } from "vitest";
import { openDatabase } from "../../adapters/sqlite/database/open-database.ts";
import { MIGRATIONS } from "../../adapters/sqlite/migrations/index.ts";
import { checkCrashes, type CrashRecording } from "../support/crash-check.ts";
import { useDatabase } from "../support/crash-check-files.ts";
import { recoverImage } from "../support/crash-check-image.ts";
import { report } from "../support/crash-check-suite.ts";
import { History } from "../support/history.ts";
import { watchCommits } from "../support/history-commits.ts";
import { type DatabaseContent, readContent, tablesOf } from "../support/history-content.ts";
import { SimDisk } from "../support/sim-disk.ts";
import type { SimContent } from "../support/sim-operations.ts";
import { DATABASE, simHost } from "../support/workload-session.ts";

const ROWS = 40;
const INSERT_JOB = `
insert into queue_jobs (namespace, id, queue, queue_key, priority, state, due_at, envelope)
values ('red', :id, 'q0', 0, 0, 0, 0, '{}')`;

const versions = MIGRATIONS.slice(0, -1).map(({ version }) => version);

describe("a crash while an older database is brought up to date", () => {
  it.each(
    versions.flatMap((version) => [
      { version, kill: false },
      { version, kill: true },
    ]),
  )(
    "leaves a whole number of migrations and every row: from version $version, killed before: $kill",
    async ({ version, kill }) => {
      const old = await olderDatabase(version, kill);
      const recording = await recordOpening(old.disk, old.content);
      const { points, images, findings } = await checkCrashes(recording);
      report(`migrations from version ${version}: ${points} crash points, ${images} different images`);
      expect(findings).toEqual([]);
      expect(recording.history.states.map((state) => state.version)).toEqual([
        version,
        ...MIGRATIONS.map((migration) => migration.version).filter((later) => later > version),
      ]);
      // With the columns that it has got since, empty.
      const jobs = (tablesOf(old.content)["queue_jobs"] ?? []).map((job) => ({
        session: null,
        subscription: null,
        ...job,
      }));
      expect(tablesOf(recording.history.content)["queue_jobs"]).toEqual(jobs);
      expect(tablesOf(old.content)["queue_jobs"]).toHaveLength(ROWS);
    },
  );

  it("is healed by opening again, also when that crashes too", async () => {
    const old = await olderDatabase(1, false);
    const recording = await recordOpening(old.disk, old.content);
    const { findings } = await checkCrashes(recording, { again: { every: 7 } });
    expect(findings).toEqual([]);
  });
});

async function olderDatabase(version: number, kill: boolean): Promise<{ disk: SimContent; content: DatabaseContent }> {
  const migrations = MIGRATIONS.slice(0, version);
  let content: DatabaseContent | undefined;
  const disk = await useDatabase(
    new Map(),
    (database) => {
      database.run("begin immediate");
      for (let row = 0; row < ROWS; row++) database.run(INSERT_JOB, { id: `message-${row}` });
      database.run("commit");
      content = readContent(database);
    },
    { migrations, kill },
  );
  const image = await recoverImage(new SimDisk({}, disk), { migrations });
  expect(image).toEqual({ kind: "recovered", digest: content?.digest });
  return { disk, content: content ?? expect.unreachable() };
}

/** Opens with every migration, and closes. */
async function recordOpening(initial: SimContent, content: DatabaseContent): Promise<CrashRecording> {
  const disk = new SimDisk({}, initial);
  const history = new History(disk, content);
  const acquisition = await disk.acquire(DATABASE);
  if (acquisition.role !== "owner") expect.unreachable();
  const { lease } = acquisition;
  const stop = watchCommits(history);
  try {
    const options = { synchronous: "full", now: () => 0, randomBytes: (into: Uint8Array) => into.fill(7) } as const;
    const { database } = await openDatabase(simHost, lease, options);
    history.acknowledge();
    database.close();
  } finally {
    stop();
    await lease.release();
  }
  return { history, operations: disk.operations, initial, seed: 41, engine: {} };
}
