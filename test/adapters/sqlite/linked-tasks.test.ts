import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteBroker, SqliteResultBackend } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { DeliverySettler } from "../../../src/contracts/delivery-settler.ts";
import type { LinkedCall } from "../../../src/contracts/task-enqueuer.ts";
import type { AnyTaskHandler } from "../../../src/contracts/task-handler.ts";
import { OutcomeUnknownError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import type { WorkerEvent } from "../../../src/runtime/worker-events.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { onClock, POLL_INTERVAL } from "./open-sqlite.ts";

const LEASE = 1_000;
const MAX_PAYLOAD = 2_000;

interface Bench {
  readonly clock: FakeClock;
  readonly broker: SqliteBroker;
  readonly backend: SqliteResultBackend;
  readonly stem: Stem;
  readonly events: WorkerEvent[];
  /** Starts a worker with these tasks; it is shut down at the end. */
  work(tasks: readonly AnyTaskHandler[]): Promise<Worker>;
}

async function open(files: "one file" | "two files", maxDeliveries = 5): Promise<Bench> {
  const clock = new FakeClock();
  const connection = onClock(clock, memoryStorage());
  const broker = await SqliteBroker.open("jobs.db", {
    ...connection,
    pollInterval: POLL_INTERVAL,
    sweeperInterval: 0,
    defaultVisibilityTimeout: LEASE,
    maxDeliveries,
    maxPayloadBytes: MAX_PAYLOAD,
  });
  const results = files === "one file" ? "jobs.db" : "results.db";
  const backend = await SqliteResultBackend.open(results, { ...connection, cleanupInterval: 0 });
  const stem = new Stem({ broker, backend, clock });
  const workers: Worker[] = [];
  const events: WorkerEvent[] = [];
  onTestFinished(async () => {
    const ended = Promise.all(workers.map((worker) => worker.shutdown({ mode: "hard" })));
    await clock.advance(60_000);
    await ended;
    await broker.close();
    await backend.close();
  });
  return {
    clock,
    broker,
    backend,
    stem,
    events,
    async work(tasks) {
      const { logger } = connection;
      const worker = new Worker({
        broker,
        backend,
        tasks,
        clock,
        logger,
        consumerName: `worker-${workers.length + 1}`,
      });
      for (const type of ["completed", "failed", "error"] as const) worker.on(type, (event) => void events.push(event));
      workers.push(worker);
      await worker.start();
      return worker;
    },
  };
}

/** Lets the worker and the engine, which answer each other in turns, come to rest. */
async function rest({ clock }: Bench): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await clock.advance(0);
}

const follower = (taskId: string, more: Partial<LinkedCall> = {}): LinkedCall => ({
  name: `demo.${taskId}`,
  ...more,
  enqueueOptions: { taskId, queue: "links" },
});
const good = defineTask("demo.good", async () => 42);
const bad = defineTask("demo.bad", async (): Promise<void> => {
  throw new Error("boom");
});
const links = { link: [follower("after")], linkError: [follower("excuse")] };

async function stored({ broker, backend }: Bench): Promise<readonly unknown[]> {
  const states = await Promise.all(["task", "after", "excuse"].map(async (id) => (await backend.get(id))?.state));
  return [...states, await broker.pendingCount("links"), await broker.inflightCount("default")];
}

describe.each(["one file", "two files"] as const)("links with broker and backend in %s", (files) => {
  it("are published, with their status, when the task is settled", async () => {
    const bench = await open(files);
    await bench.work([good, bad]);
    await bench.stem.enqueue("demo.good", { enqueueOptions: { taskId: "task", ...links } });
    await rest(bench);
    expect(await stored(bench)).toEqual(["succeeded", "queued", undefined, 1, 0]);

    await bench.stem.enqueue("demo.bad", { enqueueOptions: { taskId: "task-2", linkError: links.linkError } });
    await rest(bench);
    expect(await stored(bench)).toEqual(["succeeded", "queued", "queued", 2, 0]);
  });

  it("run once for a task that is settled late, and run again", async () => {
    const ran: string[] = [];
    const task = defineTask("demo.good", async () => void ran.push("good"));
    const after = defineTask("demo.after", async () => void ran.push("after"), { queue: "default" });
    const bench = await open(files);
    const { broker, clock, stem } = bench;
    let failing = 1;
    const fail = (id: string): void => {
      if (id === "task" && failing-- > 0) throw new TypeError("The worker was killed here.");
    };
    const ack = broker.ack.bind(broker);
    broker.ack = async (delivery) => {
      fail(delivery.envelope.id);
      await ack(delivery);
    };
    const settlerFor = broker.settlerFor.bind(broker);
    broker.settlerFor = (backend) => {
      const settler = settlerFor(backend);
      if (settler === undefined) return undefined;
      const settle: DeliverySettler["settle"] = async (delivery, outcome) => {
        fail(delivery.envelope.id);
        await settler.settle(delivery, outcome);
      };
      return { settle };
    };
    await bench.work([task, after]);
    const link = [{ name: "demo.after", enqueueOptions: { taskId: "after" } }];
    await stem.enqueue("demo.good", { enqueueOptions: { taskId: "task", link } });
    await rest(bench);
    // In one file nothing of the run was stored; in two, all but the end of its message.
    expect(ran).toEqual(files === "one file" ? ["good"] : ["good", "after"]);
    await clock.advance(LEASE);
    await rest(bench);

    expect(ran).toEqual(files === "one file" ? ["good", "good", "after"] : ["good", "after", "good"]);
    expect(await broker.inflightCount("default")).toBe(0);
  });

  it("are the excuse of a task that was delivered too often", async () => {
    const bench = await open(files, 1);
    await bench.stem.enqueue("demo.good", { enqueueOptions: { taskId: "task", ...links } });
    const consumer = bench.broker.consume({ queues: ["default"] });
    const taken = consumer.next();
    await rest(bench);
    await taken;
    await consumer.return();
    await bench.clock.advance(LEASE);
    await bench.work([good]);
    await rest(bench);

    expect(await stored(bench)).toEqual(["failed", undefined, "queued", 1, 0]);
  });

  it("that became too large are left out, and told; the task and the others are stored", async () => {
    const bench = await open(files);
    await bench.work([good]);
    const headers = { h: "x".repeat(65_000) };
    const link = [follower("after"), follower("huge", { headers: { more: "x".repeat(1_000) } })];
    await bench.stem.enqueue("demo.good", { headers, enqueueOptions: { taskId: "task", link } });
    await rest(bench);

    expect(await stored(bench)).toEqual(["succeeded", "queued", undefined, 1, 0]);
    expect(await bench.backend.get("huge")).toBeNull();
    expect(bench.events).toMatchObject([
      { type: "error", error: { code: "STEM_PAYLOAD_TOO_LARGE" }, envelope: { id: "task" } },
      { type: "completed" },
    ]);
  });

  it("of a result that is too large are those of the failure", async () => {
    const bench = await open(files);
    const big = defineTask("demo.big", async () => "x".repeat(2_000_000));
    await bench.work([big]);
    await bench.stem.enqueue("demo.big", { enqueueOptions: { taskId: "task", ...links } });
    await rest(bench);

    expect(await stored(bench)).toEqual(["failed", undefined, "queued", 1, 0]);
  });
});

it("a settlement whose outcome was unknown publishes its links once", async () => {
  const ran: string[] = [];
  const task = defineTask("demo.good", async () => void ran.push("good"));
  const after = defineTask("demo.after", async () => void ran.push("after"));
  const bench = await open("one file");
  const settlerFor = bench.broker.settlerFor.bind(bench.broker);
  let isFirst = true;
  bench.broker.settlerFor = (backend) => {
    const settler = settlerFor(backend);
    if (settler === undefined) return undefined;
    return {
      async settle(delivery, outcome) {
        await settler.settle(delivery, outcome);
        if (!isFirst) return;
        isFirst = false;
        throw new OutcomeUnknownError("settleTask");
      },
    };
  };
  await bench.work([task, after]);
  const link = [{ name: "demo.after", enqueueOptions: { taskId: "after" } }];
  await bench.stem.enqueue("demo.good", { enqueueOptions: { link } });
  await rest(bench);
  await bench.clock.advance(100);
  await rest(bench);

  expect(ran).toEqual(["good", "after"]);
  expect(bench.events.map(({ type }) => type).toSorted()).toEqual(["completed", "completed"]);
});
