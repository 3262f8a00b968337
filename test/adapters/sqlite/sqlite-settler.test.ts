import { describe, expect, it, onTestFinished } from "vitest";
import { InMemoryResultBackend, SqliteBroker, SqliteResultBackend } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import type { Consumer, Delivery } from "../../../src/contracts/broker.ts";
import type { DeliveryOutcome, DeliverySettler } from "../../../src/contracts/delivery-settler.ts";
import type { StatusWrite } from "../../../src/contracts/result-backend.ts";
import { copyEnvelope } from "../../../src/core/envelope.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { expectError } from "../../contract/support.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { onClock, POLL_INTERVAL } from "./open-sqlite.ts";

const LEASE = 1_000;

interface Bench {
  readonly clock: FakeClock;
  readonly broker: SqliteBroker;
  readonly backend: SqliteResultBackend;
  readonly settler: DeliverySettler;
  readonly consumer: Consumer;
  /** Publishes a message named `id` and takes its delivery. */
  deliver(id: string): Promise<Delivery>;
  next(): Promise<Delivery>;
}

async function open(): Promise<Bench> {
  const clock = new FakeClock();
  const connection = onClock(clock, memoryStorage());
  const broker = await SqliteBroker.open("one.db", {
    ...connection,
    namespace: "jobs",
    pollInterval: POLL_INTERVAL,
    sweeperInterval: 0,
    defaultVisibilityTimeout: LEASE,
  });
  const backend = await SqliteResultBackend.open("one.db", { ...connection, namespace: "results", cleanupInterval: 0 });
  onTestFinished(async () => {
    await broker.close();
    await backend.close();
  });
  const settler = broker.settlerFor(backend);
  if (settler === undefined) throw new Error("Broker and backend share a database and have no settler.");
  const consumer = broker.consume({ queues: ["default"] }, { prefetch: 10 });
  const next = async (): Promise<Delivery> => {
    const result = await consumer.next();
    if (result.done === true) throw new Error("The consumer has ended.");
    return result.value;
  };
  const deliver = async (id: string): Promise<Delivery> => {
    await broker.publish(anEnvelope({ id }));
    return next();
  };
  return { clock, broker, backend, settler, consumer, deliver, next };
}

function anOutcome(status: Partial<StatusWrite> = {}, rest: Partial<DeliveryOutcome> = {}): DeliveryOutcome {
  return { end: { kind: "ack" }, status: { taskId: "task", state: "succeeded", payload: 42, ...status }, ...rest };
}

/** Everything that a settlement could have changed. */
async function snapshot({ broker, backend }: Bench): Promise<unknown> {
  return {
    status: await backend.get("task"),
    link: await backend.get("link"),
    group: await backend.getGroup("group"),
    pending: [await broker.pendingCount("default"), await broker.pendingCount("links")],
    dead: (await broker.listDeadLetters("default")).entries.length,
  };
}

describe("a settler over one database", () => {
  it("acks and stores status, group result and messages together", async () => {
    const bench = await open();
    const { backend, broker, settler } = bench;
    const delivery = await bench.deliver("task");
    await backend.initGroup({ id: "group", expected: 1 });
    const watch = backend.watch("task");
    const publish = [anEnvelope({ id: "link", queue: "links" })];
    await settler.settle(delivery, anOutcome({ meta: { queue: "default" } }, { groupId: "group", publish }));
    const status = { id: "task", state: "succeeded", attempt: 0, payload: 42, meta: { queue: "default" } };
    expect(await backend.get("task")).toEqual(status);
    expect(await watch.next()).toEqual({ done: false, value: status });
    const group = await backend.getGroup("group");
    expect(group?.isComplete).toBe(true);
    expect(group?.results).toEqual(new Map([["task", status]]));
    expect(await broker.pendingCount("links")).toBe(1);
    expect(await broker.inflightCount("default")).toBe(0);
    expect(await broker.pendingCount("default")).toBe(0);
    expect((await backend.listTaskStatuses({ queue: "default" })).items).toHaveLength(1);
  });

  it("puts the next attempt in the place of a message that is retried", async () => {
    const bench = await open();
    const delivery = await bench.deliver("task");
    const next = copyEnvelope(delivery.envelope, { attempt: 1 });
    await bench.settler.settle(delivery, anOutcome({ state: "retried" }, { end: { kind: "retry", next } }));
    expect((await bench.backend.get("task"))?.state).toBe("retried");
    const again = await bench.next();
    expect([again.envelope.id, again.envelope.attempt, again.deliveries]).toEqual(["task", 1, 1]);
  });

  it("makes a dead letter with its reason and meta", async () => {
    const bench = await open();
    const delivery = await bench.deliver("task");
    const end = { kind: "dead-letter", reason: "max-retries-exhausted", meta: { error: "x" } } as const;
    await bench.settler.settle(delivery, anOutcome({ state: "failed" }, { end }));
    const entry = await bench.broker.getDeadLetter("default", "task");
    expect([entry?.reason, entry?.meta]).toEqual(["max-retries-exhausted", { error: "x" }]);
    expect((await bench.backend.get("task"))?.state).toBe("failed");
  });

  it("changes nothing at all when the message is another consumer's by now, whatever the end", async () => {
    const bench = await open();
    const { backend, settler } = bench;
    const late = await bench.deliver("task");
    await bench.clock.advance(LEASE + 1);
    const current = await bench.next();
    expect(current.envelope.id).toBe("task");
    await backend.set("task", "running", { fence: current.token });
    await backend.initGroup({ id: "group", expected: 1 });
    const before = await snapshot(bench);
    const publish = [anEnvelope({ id: "link", queue: "links" })];
    const queued = [{ taskId: "link", state: "queued" }] as const;
    for (const end of [
      { kind: "ack" },
      { kind: "retry", next: late.envelope },
      { kind: "dead-letter", reason: "late" },
    ] as const) {
      await expectError(
        () => settler.settle(late, anOutcome({}, { end, groupId: "group", publish, queued })),
        "STEM_LEASE_LOST",
      );
    }
    expect(await snapshot(bench)).toEqual(before);
    await settler.settle(current, anOutcome());
    expect((await backend.get("task"))?.state).toBe("succeeded");
  });

  it("does nothing when the same call has taken effect before, so that nothing is published twice", async () => {
    const bench = await open();
    const { broker, settler } = bench;
    const delivery = await bench.deliver("task");
    const outcome = anOutcome({ state: "failed" }, { publish: [anEnvelope({ queue: "links" })] });
    await settler.settle(delivery, outcome);
    await broker.purge("links");
    const before = await snapshot(bench);
    await settler.settle(delivery, outcome);
    expect(await snapshot(bench)).toEqual(before);
  });

  it("changes nothing when the delivery was ended otherwise", async () => {
    const bench = await open();
    const { broker, settler } = bench;
    const publish = [anEnvelope({ queue: "links" })];
    const ends = [
      (delivery: Delivery) => broker.ack(delivery),
      (delivery: Delivery) => broker.deadLetter(delivery),
      (delivery: Delivery) => settler.settle(delivery, anOutcome({ taskId: "other" })),
    ];
    for (const end of ends) {
      const delivery = await bench.deliver("task");
      await end(delivery);
      const before = await snapshot(bench);
      await expectError(() => settler.settle(delivery, anOutcome({}, { publish })), "STEM_LEASE_LOST");
      expect(await snapshot(bench)).toEqual(before);
    }
  });

  it("ends the delivery also where the stored status stands, which is then the group's result", async () => {
    const bench = await open();
    const { backend, broker, settler } = bench;
    const delivery = await bench.deliver("task");
    await backend.initGroup({ id: "group", expected: 1 });
    await backend.set("task", "cancelled");
    await settler.settle(delivery, anOutcome({}, { groupId: "group" }));
    expect(await broker.inflightCount("default")).toBe(0);
    expect((await backend.get("task"))?.state).toBe("cancelled");
    expect((await backend.getGroup("group"))?.results.get("task")?.state).toBe("cancelled");
  });

  it("counts only terminal statuses as group results, and does without a group that is gone", async () => {
    const bench = await open();
    const { backend, settler } = bench;
    await backend.initGroup({ id: "group", expected: 2 });
    const delivery = await bench.deliver("task");
    const end = { kind: "retry", next: delivery.envelope } as const;
    await settler.settle(delivery, anOutcome({ state: "retried" }, { end, groupId: "group" }));
    expect((await backend.getGroup("group"))?.completed).toBe(0);
    await settler.settle(await bench.next(), anOutcome({}, { groupId: "no-such-group" }));
    expect((await backend.get("task"))?.state).toBe("succeeded");
    expect(await backend.getGroup("no-such-group")).toBeNull();
  });

  it("fences the status with the token of the delivery, whatever the write says", async () => {
    const bench = await open();
    const { backend, settler } = bench;
    const delivery = await bench.deliver("task");
    const end = { kind: "retry", next: delivery.envelope } as const;
    await settler.settle(delivery, anOutcome({ state: "retried", fence: 1 }, { end }));
    expect(await backend.set("task", "running", { fence: delivery.token - 1 })).toBe(false);
    expect(await backend.set("task", "running", { fence: delivery.token })).toBe(true);
  });

  it("leaves a message whose id is stored already as it is", async () => {
    const bench = await open();
    const { broker, settler } = bench;
    await broker.publish(anEnvelope({ id: "link", queue: "links", args: { first: true } }));
    const publish = [anEnvelope({ id: "link", queue: "links", args: { first: false } })];
    await settler.settle(await bench.deliver("task"), anOutcome({}, { publish }));
    const links = broker.consume({ queues: ["links"] });
    const delivered = await links.next();
    expect(delivered.value?.envelope.args).toEqual({ first: true });
    expect(await broker.pendingCount("links")).toBe(0);
  });

  it("writes the status of what it publishes where there is none, and tells whoever watches", async () => {
    const bench = await open();
    const { backend, broker, settler } = bench;
    await backend.set("known", "queued", { meta: { first: true } });
    const watch = backend.watch("new");
    const seen = watch.next();
    const publish = ["new", "known"].map((id) => anEnvelope({ id, queue: "links" }));
    const queued = publish.map(({ id }) => ({ taskId: id, state: "queued", meta: { queue: "links" } }) as const);
    await settler.settle(await bench.deliver("task"), anOutcome({}, { publish, queued }));

    expect((await seen).value).toMatchObject({ id: "new", state: "queued", meta: { queue: "links" } });
    expect(await backend.get("known")).toMatchObject({ state: "queued", meta: { first: true } });
    expect(await broker.pendingCount("links")).toBe(2);
    await watch.return?.();
  });

  it.each(["running", "retried", "succeeded", "failed", "cancelled"] as const)(
    "leaves out a message whose task has begun: it is %s",
    async (state) => {
      const bench = await open();
      const { backend, broker, settler } = bench;
      await backend.set("begun", state);
      const publish = [anEnvelope({ id: "begun", queue: "links" }), anEnvelope({ id: "new", queue: "links" })];
      const queued = publish.map(({ id }) => ({ taskId: id, state: "queued" }) as const);
      await settler.settle(await bench.deliver("task"), anOutcome({}, { publish, queued }));

      expect(await broker.pendingCount("links")).toBe(1);
      expect(await backend.get("begun")).toMatchObject({ state });
      expect(await backend.get("task")).toMatchObject({ state: "succeeded" });
    },
  );

  it("refuses bad input before any effect", async () => {
    const bench = await open();
    const delivery = await bench.deliver("task");
    const before = await snapshot(bench);
    const bad: readonly (readonly [DeliveryOutcome, string])[] = [
      [anOutcome({ taskId: "a b" }), "STEM_INVALID_NAME"],
      [anOutcome({ state: "done" as never }), "STEM_INVALID_OPTION"],
      [anOutcome({ pyload: 1 } as never), "STEM_INVALID_OPTION"],
      [{ end: { kind: "ack" } } as never, "STEM_INVALID_OPTION"],
      [anOutcome({ payload: Number.NaN }), "STEM_PAYLOAD_NOT_SERIALIZABLE"],
      [anOutcome({}, { groupId: "" }), "STEM_INVALID_NAME"],
      [anOutcome({}, { end: { kind: "drop" } as never }), "STEM_INVALID_OPTION"],
      [anOutcome({}, { end: { kind: "retry", next: anEnvelope({ id: "other" }) } }), "STEM_INVALID_OPTION"],
      [anOutcome({}, { end: { kind: "dead-letter", reason: 5 as never } }), "STEM_INVALID_OPTION"],
      [anOutcome({}, { end: { kind: "dead-letter", reason: "x", meta: [] as never } }), "STEM_INVALID_OPTION"],
      [anOutcome({}, { publish: [{ ...anEnvelope(), queue: "a b" }] }), "STEM_INVALID_NAME"],
      [anOutcome({}, { queued: [null as never] }), "STEM_INVALID_OPTION"],
      [anOutcome({}, { queued: [{ taskId: "link", state: "succeeded" }] }), "STEM_INVALID_OPTION"],
      [anOutcome({}, { queued: [{ taskId: "a b", state: "queued" }] }), "STEM_INVALID_NAME"],
    ];
    for (const [outcome, code] of bad) await expectError(() => bench.settler.settle(delivery, outcome), code as never);
    expect(await snapshot(bench)).toEqual(before);
    expect(await bench.broker.inflightCount("default")).toBe(1);
  });

  it("stores what a broadcast brought about, which has no lease to end", async () => {
    const bench = await open();
    const { broker, backend, settler } = bench;
    const listener = broker.consume({ queues: [], broadcastChannels: ["news"] });
    const arrival = listener.next();
    await broker.pendingCount("default");
    await broker.publish(anEnvelope({ id: "task" }), {
      routing: { type: "broadcast", broadcastChannel: "news" } as never,
    });
    const { value } = await arrival;
    if (value === undefined) throw new Error("The consumer has ended.");
    await settler.settle(value, anOutcome());
    expect((await backend.get("task"))?.state).toBe("succeeded");
  });

  it("refuses a backend that was closed", async () => {
    const bench = await open();
    const delivery = await bench.deliver("task");
    await bench.backend.close();
    await expectError(() => bench.settler.settle(delivery, anOutcome()), "STEM_CLOSED");
    expect(await bench.broker.inflightCount("default")).toBe(1);
  });

  it("is not offered for a backend in another database, or of another kind", async () => {
    const { broker } = await open();
    await using other = await SqliteResultBackend.open("two.db", onClock(new FakeClock(), memoryStorage()));
    await using memory = new InMemoryResultBackend({ cleanupInterval: 0 });
    expect(broker.settlerFor(other)).toBeUndefined();
    expect(broker.settlerFor(memory)).toBeUndefined();
  });
});
