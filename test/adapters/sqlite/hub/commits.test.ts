import { describe, expect, it } from "vitest";
import { aConsumer, aPublish, countingLease, NAMESPACE, openOwner, refOf } from "./open-owner.ts";

const MAIL = { namespace: NAMESPACE, queue: "mail" };

async function counted() {
  const counts = { write: 0, flush: 0 };
  const opened = await openOwner({ wrap: countingLease(counts) });
  await opened.client.call("publish", aPublish({ queue: "warm-up" }));
  const flushesOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = counts.flush;
    await work();
    await opened.clock.advance(0);
    return counts.flush - before;
  };
  return { ...opened, counts, flushesOf };
}

describe("hub: what shares a commit", () => {
  it("stores all calls of one turn, of all members, with one flush", async () => {
    const { client, connect, flushesOf } = await counted();
    const clients = [client, connect(), connect()];
    const calls = Array.from({ length: 300 }, (_, index) => index);
    const flushes = await flushesOf(() =>
      Promise.all(calls.map((index) => (clients[index % 3] ?? client).call("publish", aPublish()))),
    );
    expect(flushes).toBe(1);
    expect(await client.call("pendingCount", MAIL)).toBe(300);
  });

  it("needs one flush per turn", async () => {
    const { client, flushesOf } = await counted();
    const flushes = await flushesOf(async () => {
      for (let turn = 0; turn < 5; turn += 1) await client.call("publish", aPublish());
    });
    expect(flushes).toBe(5);
  });

  it("flushes and writes nothing for reads", async () => {
    const { client, counts, flushesOf } = await counted();
    const { write } = counts;
    expect(
      await flushesOf(() => Promise.all([client.call("pendingCount", MAIL), client.call("inflightCount", MAIL)])),
    ).toBe(0);
    expect(counts.write).toBe(write);
  });

  it("makes a publish and the claim it wakes one commit", async () => {
    const { client, flushesOf } = await counted();
    const consumer = await aConsumer(client);
    expect(await flushesOf(() => client.call("publish", aPublish()))).toBe(1);
    expect(consumer.deliveries).toHaveLength(1);
  });

  it("makes an ack and the claim it makes room for one commit", async () => {
    const { client, flushesOf } = await counted();
    await Promise.all([client.call("publish", aPublish()), client.call("publish", aPublish())]);
    const consumer = await aConsumer(client);
    expect(consumer.deliveries).toHaveLength(1);
    expect(await flushesOf(() => client.call("ack", refOf(consumer.deliveries[0])))).toBe(1);
    expect(consumer.deliveries).toHaveLength(2);
  });

  it("makes a retry without delay and its next delivery one commit", async () => {
    const { client, flushesOf } = await counted();
    const consumer = await aConsumer(client);
    const args = aPublish({ id: "again" });
    await client.call("publish", args);
    expect(
      await flushesOf(() => client.call("retry", { delivery: refOf(consumer.deliveries[0]), next: args.message })),
    ).toBe(1);
    expect(consumer.deliveries.map(({ deliveries }) => deliveries)).toEqual([1, 1]);
  });

  it("answers before it pushes, and pushes what a call's own commit brought", async () => {
    const { client } = await counted();
    const events: string[] = [];
    const subscription = client.listen(() => void events.push("push"));
    const settings = {
      queues: ["mail"],
      channels: [],
      prefetch: 5,
      consumerName: "c",
      maxDeliveries: 5,
      pollInterval: 1e9,
    };
    await client.call("consume", { subscription, namespace: NAMESPACE, defaultVisibilityTimeout: 30_000, ...settings });
    const published = client.call("publish", aPublish()).then(() => events.push("reply"));
    await published;
    expect(events).toContain("push");
    const { owner } = await counted();
    const batches: unknown[] = [];
    const member = owner.connect((batch) => void batches.push(batch));
    member.receive([
      [1, "consume", { subscription: 7, namespace: NAMESPACE, defaultVisibilityTimeout: 30_000, ...settings }],
      [2, "publish", aPublish()],
    ]);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(batches).toEqual([
      {
        replies: [
          [1, []],
          [2, "stored"],
        ],
        pushes: [[7, [expect.objectContaining({ deliveries: 1 })]]],
      },
    ]);
  });

  it("answers every call of one turn with its own outcome", async () => {
    const { client } = await counted();
    const [first, other] = [aPublish({ id: "same" }), aPublish({ id: "same", args: { other: true } })];
    const outcomes = await Promise.allSettled([
      client.call("publish", first),
      client.call("publish", first),
      client.call("publish", other),
      client.call("ack", { seq: 999, token: 5, id: "nobody", queue: "mail" }),
      client.call("publish", aPublish()),
    ]);
    expect(
      outcomes.map((outcome) =>
        outcome.status === "fulfilled" ? outcome.value : (outcome.reason as { code: string }).code,
      ),
    ).toEqual(["stored", "duplicate", "STEM_DUPLICATE_ID", "STEM_LEASE_LOST", "stored"]);
    expect(await client.call("pendingCount", MAIL)).toBe(2);
  });

  it.each(["nothing", "", "__proto__", "constructor", "toString"])(
    "answers the unknown operation %j with a typed error",
    async (name) => {
      const { client } = await counted();
      const other = client.call("publish", aPublish());
      await expect(client.call(name as "publish", aPublish())).rejects.toMatchObject({
        code: "STEM_ENGINE",
        message: expect.stringContaining(name),
      });
      expect(await other).toBe("stored");
    },
  );

  it("answers malformed arguments with a typed error, and the other calls of the turn with theirs", async () => {
    const { client } = await counted();
    const bad = [
      undefined,
      null,
      5,
      "x",
      {},
      { namespace: NAMESPACE },
      { namespace: NAMESPACE, message: null },
      { ...aPublish(), message: { id: {} } },
    ];
    const outcomes = await Promise.allSettled([
      ...bad.map((args) => client.call("publish", args as never)),
      client.call("publish", aPublish()),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([...bad.map(() => "rejected"), "fulfilled"]);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "STEM_ENGINE" });
    expect(await client.call("pendingCount", MAIL)).toBe(1);
  });

  it("goes through a flood in several commits", async () => {
    const { client, flushesOf } = await counted();
    const flushes = await flushesOf(() =>
      Promise.all(Array.from({ length: 5_000 }, () => client.call("publish", aPublish()))),
    );
    expect(flushes).toBeGreaterThanOrEqual(3);
    expect(flushes).toBeLessThan(12);
    expect(await client.call("pendingCount", MAIL)).toBe(5_000);
  });

  it("keeps a query that takes all memory, which ends its transaction, away from the other calls", async () => {
    const { client } = await openOwner();
    const values = Array.from({ length: 7 }, () => "(zeroblob(60000000) || 'x')").join();
    const sql = `select ${values} from queue_jobs order by 1`;
    const [first, query, second] = await Promise.allSettled([
      client.call("publish", aPublish()),
      client.call("queryDatabase", { sql, parameters: {}, maxRows: 1 }),
      client.call("publish", aPublish()),
    ]);
    expect(query).toMatchObject({ status: "rejected", reason: { code: "STEM_QUERY_LIMIT" } });
    expect([first.status, second.status]).toEqual(["fulfilled", "fulfilled"]);
  });
});
