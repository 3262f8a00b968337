import { describe, expect, it } from "vitest";
import { createSeededRandomness } from "../../../../src/testing/index.ts";
import { aConsumer, aPublish, NAMESPACE, openOwner, refOf, type TestConsumer } from "./open-owner.ts";

const MAIL = { namespace: NAMESPACE, queue: "mail" };
const SEED = Number(process.env["STEM_SEED"] ?? 20_261_124);
const FILE = "test/adapters/sqlite/hub/consumers.test.ts";

describe("hub: consumers", () => {
  it("delivers by priority, then in order of publishing, across queues", async () => {
    const { client } = await openOwner();
    const order = [
      ["a", 0],
      ["b", 5],
      ["a", 5],
      ["b", 0],
      ["c", -1],
      ["a", 9],
    ] as const;
    for (const [queue, priority] of order)
      await client.call("publish", aPublish({ queue, priority, id: `${queue}${priority}` }));
    const consumer = await aConsumer(client, { queues: ["a", "b", "c"] });
    for (let taken = 0; taken < order.length; taken += 1) await client.call("ack", refOf(consumer.deliveries[taken]));
    const ids = consumer.deliveries.map(({ envelope }) => (JSON.parse(envelope) as { id: string }).id);
    expect(ids).toEqual(["a9", "b5", "a5", "a0", "b0", "c-1"]);
  });

  it("keeps queues and namespaces apart, also two whose names meet when put together", async () => {
    const { client } = await openOwner();
    const consumer = await aConsumer(client, { queues: ["x"], prefetch: 9 });
    await client.call("publish", aPublish({ queue: "other" }));
    await client.call("publish", { ...aPublish({ queue: "x" }), namespace: "elsewhere" });
    expect(consumer.deliveries).toHaveLength(0);
    await client.call("publish", aPublish({ queue: "x" }));
    expect(consumer.deliveries).toHaveLength(1);
  });

  it("finds what came to a queue before anybody took from it, after everybody left it, and by falling due", async () => {
    const { client, clock } = await openOwner();
    const idsOf = ({ deliveries }: TestConsumer): string[] =>
      deliveries.map(({ envelope }) => (JSON.parse(envelope) as { id: string }).id);
    await aConsumer(client, { queues: ["other"] });
    await client.call("publish", aPublish({ id: "before" }));
    const first = await aConsumer(client, { prefetch: 9 });
    expect(idsOf(first)).toEqual(["before"]);
    await client.call("ack", refOf(first.deliveries[0]));
    await first.cancel();
    await client.call("publish", aPublish({ id: "after" }));
    await client.call("publish", aPublish({ id: "due", notBefore: new Date(clock.now() + 50) }));
    await clock.advance(100);
    const second = await aConsumer(client, { prefetch: 9 });
    await client.call("publish", aPublish({ id: "present" }));
    expect(idsOf(second)).toEqual(["after", "due", "present"]);
  });

  it("gives a consumer of large messages so many at once that it can read them, and all in the end", async () => {
    const { client } = await openOwner();
    const large = "x".repeat(900_000);
    for (let n = 0; n < 40; n += 1) await client.call("publish", aPublish({ args: { n, large } }));
    const consumer = await aConsumer(client, { prefetch: 1_000 });
    const first = consumer.deliveries.length;
    expect(first).toBeGreaterThan(10);
    expect(first).toBeLessThan(25);
    for (let n = 0; n < 40; n += 1) await client.call("ack", refOf(consumer.deliveries[n]));
    expect(consumer.deliveries).toHaveLength(40);
  });

  it("shares a queue between consumers, none beyond its prefetch", async () => {
    const { client } = await openOwner();
    const consumers = await Promise.all([1, 2, 3].map((prefetch) => aConsumer(client, { prefetch })));
    await Promise.all(Array.from({ length: 10 }, () => client.call("publish", aPublish())));
    expect(consumers.map(({ deliveries }) => deliveries.length)).toEqual([1, 2, 3]);
    expect(await client.call("pendingCount", MAIL)).toBe(4);
  });

  it("takes no more for a consumer that subscribed and left in one turn", async () => {
    const { client } = await openOwner();
    const subscription = client.listen(() => undefined);
    const settings = {
      queues: ["mail"],
      channels: [],
      prefetch: 5,
      consumerName: "c",
      maxDeliveries: 5,
      pollInterval: 1e9,
    };
    const subscribed = client.call("consume", {
      subscription,
      namespace: NAMESPACE,
      defaultVisibilityTimeout: 30_000,
      ...settings,
    });
    const left = client.call("cancel", { subscription, unseen: [] });
    await Promise.all([subscribed, left]);
    await client.call("publish", aPublish());
    expect(await client.call("inflightCount", MAIL)).toBe(0);
    expect(await client.call("pendingCount", MAIL)).toBe(1);
  });

  it("gives back what a leaving consumer has not seen, uncounted and at once, and leaves what it has", async () => {
    const { client } = await openOwner();
    await Promise.all([1, 2, 3].map(() => client.call("publish", aPublish())));
    const leaving = await aConsumer(client, { prefetch: 3 });
    const [seen, ...unseen] = leaving.deliveries;
    const staying = await aConsumer(client, { prefetch: 3 });
    await leaving.cancel(unseen);
    expect(staying.deliveries.map(({ seq, deliveries }) => [seq, deliveries])).toEqual(
      unseen.map(({ seq }) => [seq, 1]),
    );
    await client.call("ack", refOf(seen));
    expect(await client.call("inflightCount", MAIL)).toBe(2);
  });

  it("buries a message at its last delivery's lapse, and goes on to the next", async () => {
    const { client, clock } = await openOwner();
    await client.call("publish", aPublish({ id: "poison" }));
    const consumer = await aConsumer(client, { maxDeliveries: 3 });
    for (let lapse = 0; lapse < 3; lapse += 1) await clock.advance(30_000);
    expect(consumer.deliveries.map(({ deliveries }) => deliveries)).toEqual([1, 2, 3]);
    const dead = await client.call("listDeadLetters", { ...MAIL, limit: 10, offset: 0 });
    expect(dead).toMatchObject([{ id: "poison", reason: "max-deliveries-exceeded" }]);
    await client.call("publish", aPublish());
    expect(consumer.deliveries).toHaveLength(4);
  });

  it("leaves no timer behind once the last consumer has left and the owner is closed", async () => {
    const { client, clock, close } = await openOwner();
    const consumer = await aConsumer(client);
    await client.call("publish", aPublish({ notBefore: new Date(clock.now() + 1_000) }));
    await consumer.cancel();
    await close();
    await client.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("hub: consumers under random operations", () => {
  interface Held {
    until: number;
    readonly ref: ReturnType<typeof refOf>;
    readonly envelope: string;
  }
  interface Member {
    readonly consumer: TestConsumer;
    readonly prefetch: number;
    readonly held: Map<number, Held>;
    read: number;
  }

  /** Runs `steps` random calls; after each, nobody holds more than its prefetch and tokens have only risen. */
  async function run(seed: number, steps: number): Promise<Readonly<Record<string, number>>> {
    const random = createSeededRandomness(seed).number;
    const pick = (below: number): number => Math.floor(random() * below);
    const { client, clock, close } = await openOwner();
    const done: Record<string, number> = {};
    const queues = ["a", "b"];
    const members: Member[] = [];
    for (const prefetch of [1, 2, 5]) {
      const consumer = await aConsumer(client, {
        prefetch,
        queues: prefetch === 2 ? ["b"] : queues,
        maxDeliveries: 1e6,
        defaultVisibilityTimeout: 1_000,
      });
      members.push({ consumer, prefetch, held: new Map(), read: 0 });
    }
    let lastToken = 0;
    const look = (): void => {
      const fresh = members.flatMap((member) =>
        member.consumer.deliveries.slice(member.read).map((delivery) => ({ member, delivery })),
      );
      for (const { member, delivery } of fresh.toSorted((a, b) => a.delivery.token - b.delivery.token)) {
        if (delivery.token <= lastToken) throw new Error(`token ${delivery.token} follows ${lastToken}`);
        lastToken = delivery.token;
        for (const other of members)
          for (const held of other.held.values()) {
            if (held.ref.seq === delivery.seq && held.until > clock.now())
              throw new Error(`message ${delivery.seq} is held twice`);
          }
        member.held.set(delivery.token, {
          until: delivery.leaseUntil,
          ref: refOf(delivery),
          envelope: delivery.envelope,
        });
        member.read += 1;
      }
      for (const { prefetch, held } of members) {
        const valid = [...held.values()].filter(({ until }) => until > clock.now()).length;
        if (valid > prefetch) throw new Error(`${valid} deliveries are held with a prefetch of ${prefetch}`);
      }
    };
    for (let step = 0; step < steps; step += 1) {
      const member = members[pick(members.length)] as Member;
      const tokens = [...member.held.keys()];
      const token = tokens[pick(tokens.length)];
      const held = token === undefined ? undefined : member.held.get(token);
      const settle = async (name: string, call: () => Promise<unknown>): Promise<void> => {
        if (token === undefined || held === undefined) return;
        const isValid = held.until > clock.now();
        try {
          await call();
          done[name] = (done[name] ?? 0) + 1;
          if (name !== "extend") member.held.delete(token);
        } catch (error) {
          if (isValid || (error as { code?: string }).code !== "STEM_LEASE_LOST") throw error;
          done["lost"] = (done["lost"] ?? 0) + 1;
          member.held.delete(token);
        }
      };
      const choice = pick(12);
      if (choice < 3) {
        const notBefore = pick(3) === 0 ? { notBefore: new Date(clock.now() + pick(3_000)) } : {};
        const count = 1 + pick(4);
        await Promise.all(
          Array.from({ length: count }, () =>
            client.call("publish", aPublish({ queue: queues[pick(2)] ?? "a", priority: pick(3), ...notBefore })),
          ),
        );
      } else if (choice < 6) await settle("ack", () => client.call("ack", held?.ref ?? refOf(undefined)));
      else if (choice === 6)
        await settle("requeue", () =>
          client.call("requeue", {
            delivery: held?.ref ?? refOf(undefined),
            countsAsDelivery: pick(2) === 0,
            maxDeliveries: 1e6,
          }),
        );
      else if (choice === 7) {
        // Only while it is valid: a lapsed lease that is taken up again comes on top of what its slot went to.
        if (held !== undefined && held.until > clock.now()) {
          await settle(
            "extend",
            async () =>
              void (held.until = await client.call("extendLease", { delivery: held.ref, by: 1 + pick(3_000) })),
          );
        }
      } else if (choice === 8)
        await settle("dead", () =>
          client.call("deadLetter", { delivery: held?.ref ?? refOf(undefined), reason: null, meta: "{}" }),
        );
      else if (choice < 11) await clock.advance(pick(700));
      else {
        const jump = 1_001 + pick(100_000);
        clock.jump(jump);
        for (const { held: all } of members)
          for (const one of all.values()) if (one.until > clock.now() - jump) one.until += jump;
        await client.call("pendingCount", MAIL);
        done["jump"] = (done["jump"] ?? 0) + 1;
      }
      await clock.advance(0);
      look();
    }
    await close();
    return { ...done, tokens: lastToken > 0 ? 1 : 0 };
  }

  it.each(Array.from({ length: 6 }, (_, offset) => SEED + offset))(
    "holds to prefetch and order of tokens, seed %i",
    async (seed) => {
      const done = await run(seed, 500).catch((error: unknown) => {
        throw new Error(`Replay: STEM_SEED=${seed} npx vitest run ${FILE}`, { cause: error });
      });
      for (const name of ["ack", "requeue", "extend", "dead", "jump"]) expect(done[name], name).toBeGreaterThan(0);
    },
  );
});
