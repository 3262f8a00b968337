import { describe, expect, it } from "vitest";
import { OutcomeUnknownError } from "../../src/errors.ts";
import { History } from "../support/history.ts";
import { watchCommits } from "../support/history-commits.ts";
import { tablesOf } from "../support/history-content.ts";
import { SimDisk } from "../support/sim-disk.ts";
import { NOTHING } from "../support/workload.ts";
import { WorkloadSession } from "../support/workload-session.ts";

/** More calls than one publish and the checkpoint after it make. */
const CALLS = 40;

interface FailedCall {
  readonly kind: "flush of the log" | "flush of the database" | "other";
  /** What the publish under way came to, and the same one after it. */
  readonly first: unknown;
  readonly again: unknown;
  /** How often the database was opened anew. */
  readonly reopened: number;
}

const calls: FailedCall[] = [];
for (let call = 0; call < CALLS; call++) calls.push(await failCall(call));
const flushes = calls.filter(({ kind }) => kind !== "other");

describe("after a storage call that failed once", () => {
  it("the owner opens the database anew before it acknowledges anything, if it was a flush", () => {
    expect(new Set(flushes.map(({ kind }) => kind))).toEqual(new Set(["flush of the log", "flush of the database"]));
    for (const { reopened } of flushes) expect(reopened).toBe(1);
  });

  it("a commit has an unknown outcome when the flush was the log's, and stands when it was the checkpoint's", () => {
    for (const { kind, first } of flushes) {
      if (kind === "flush of the database") expect(first).toBe("stored");
      else if (first !== "stored") expect(first).toMatchObject({ outcome: "unknown", retryable: true });
    }
    expect(flushes.some(({ first }) => first instanceof OutcomeUnknownError)).toBe(true);
  });

  it("the next call gets an answer of its own, and not the fault of a checkpoint before it", () => {
    for (const { again } of calls) expect(again).toBeOneOf(["stored", "duplicate"]);
  });
});

/** Publishes while the storage call that is `call` calls away fails, and then once more. */
async function failCall(call: number): Promise<FailedCall> {
  const disk = new SimDisk();
  const history = new History(disk, NOTHING);
  const session = new WorkloadSession(disk, history, 1, { engine: { walAutocheckpoint: 1 } });
  const stop = watchCommits(history);
  try {
    await session.open();
    await publish(session, "warm");
    const epoch = epochOf(history);
    const index = disk.operationCount + call;
    disk.failAt(index, "EIO", "once");
    const first = await publish(session, "one").catch((error: unknown) => error);
    const kind = kindOf(disk, index);
    disk.clearFaults();
    const again = await publish(session, "one").catch((error: unknown) => error);
    const reopened = epochOf(history) - epoch;
    await session.close();
    return { kind, first, again, reopened };
  } finally {
    stop();
  }
}

function kindOf(disk: SimDisk, index: number): FailedCall["kind"] {
  const failed = disk.operations[index];
  if (failed?.kind !== "failed-flush") return "other";
  const entry = disk.operations.flatMap((made) =>
    made.kind === "create" && made.file === failed.file ? [made.entry] : [],
  );
  return entry[0]?.endsWith("wal") === true ? "flush of the log" : "flush of the database";
}

function publish(session: WorkloadSession, id: string): Promise<string> {
  const message = { id, queue: "q0", priority: 0, notBefore: 0, visibilityTimeout: null, envelope: `{"id":"${id}"}` };
  return session.call("publish", { namespace: "red", message });
}

function epochOf(history: History): number {
  return Number(tablesOf(history.content)["engine"]?.[0]?.["epoch"]);
}
