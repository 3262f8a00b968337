import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defineIsolatedTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "../../adapters/entry/node.ts";
import { startProgram } from "../support/child-process.ts";
import { useTempDirectory } from "../support/temp-directory.ts";

const MAX_DELIVERIES = 3;
const LEASE_MS = 600;

describe("torture/handlers", () => {
  it("a task that ends its process is delivered again, and is a dead letter after so many deliveries", async () => {
    const folder = useTempDirectory();
    expect(await startProgram("poison-job", [folder, "enqueue"]).ended).toBe(0);
    const codes: (number | null)[] = [];
    while (codes.at(-1) !== 0 && codes.length <= MAX_DELIVERIES) {
      codes.push(await startProgram("poison-job", [folder]).ended);
    }

    expect(codes).toEqual([9, 9, 9, 0]);
    await using broker = await SqliteBroker.open(join(folder, "broker.sqlite"));
    await using backend = await SqliteResultBackend.open(join(folder, "backend.sqlite"));
    expect(await broker.getDeadLetter("default", "poison")).toMatchObject({ reason: "max-deliveries-exceeded" });
    expect(await broker.pendingCount("default")).toBe(0);
    expect(await broker.inflightCount("default")).toBe(0);
    expect(await backend.get("poison")).toMatchObject({ state: "failed", error: { type: "MaxDeliveriesExceeded" } });
    for (const id of ["before", "after"]) {
      expect(await backend.get(id)).toMatchObject({ state: "succeeded", payload: id });
    }
  });

  it("a handler that blocks its own thread for several leases keeps its task, which runs once", async () => {
    const file = join(useTempDirectory(), "queue.sqlite");
    await using broker = await SqliteBroker.open(file, { defaultVisibilityTimeout: LEASE_MS, sweeperInterval: 50 });
    await using backend = await SqliteResultBackend.open(file);
    const module = new URL("../../dist/test/torture/programs/isolated-handlers.js", import.meta.url);
    const block = defineIsolatedTask<{ ms: number }, number>("block", module, { exportName: "block" });
    const options = { broker, backend, tasks: [block] };
    await using stem = new Stem(options);
    await using worker = new Worker(options);
    await using rival = new Worker(options);
    const started: string[] = [];
    const lost: string[] = [];
    for (const each of [worker, rival]) {
      each.on("started", ({ envelope }) => started.push(envelope.id));
      each.on("lease-lost", ({ envelope }) => lost.push(envelope.id));
      await each.start();
    }
    const result = await block.enqueueAndWait(stem, { ms: 4 * LEASE_MS });

    expect(result?.value).toBe(1);
    expect(started).toHaveLength(1);
    expect(lost).toEqual([]);
  });

  it("what a handler prints in its thread is the program's output, and no thread keeps the program", async () => {
    const program = startProgram("isolated-output");

    expect(await program.ended).toBe(0);
    expect([...program.lines].sort()).toEqual(["end of program", "printed in a thread"]);
  });
});
