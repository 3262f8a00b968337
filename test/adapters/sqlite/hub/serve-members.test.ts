import { describe, expect, it } from "vitest";
import { serveMembers } from "../../../../adapters/sqlite/hub/serve-members.ts";
import type { OwnerBatch } from "../../../../adapters/sqlite/hub/protocol.ts";
import { PROTOCOL_VERSION, SCHEMA_VERSION } from "../../../../adapters/sqlite/hub/wire.ts";
import type { StoredDelivery } from "../../../../adapters/sqlite/operations/operation.ts";
import type { PeerChannel, StorageLease } from "../../../../src/contracts/storage-driver.ts";
import { PayloadTooLargeError } from "../../../../src/errors.ts";
import { OPERATIONS } from "../../../../adapters/sqlite/operations/operation-table.ts";
import { aConsumer, aPublish, NAMESPACE, openOwner, type TestOwner } from "./open-owner.ts";

const CONSUME = {
  subscription: 1,
  namespace: NAMESPACE,
  queues: ["mail"],
  channels: [],
  prefetch: 10,
  consumerName: "remote",
  defaultVisibilityTimeout: 30_000,
  maxDeliveries: 5,
  pollInterval: 1e11,
};

/** A member that says what it wants, and what it hears. */
interface RawMember {
  readonly batches: OwnerBatch[];
  readonly deliveries: StoredDelivery[];
  call(id: number, operation: string, args: unknown): void;
  say(message: unknown): void;
  isClosed(): boolean;
}

/** An owner that serves members over channels for messages of up to `limit` characters. */
async function serve(limit = Number.POSITIVE_INFINITY): Promise<TestOwner & { join(): Promise<RawMember> }> {
  let lease: StorageLease | undefined;
  const opened = await openOwner({ wrap: (own) => (lease = own) });
  const limited = (channel: PeerChannel): PeerChannel => ({
    send(message) {
      const size = JSON.stringify(message).length;
      if (size > limit) throw new PayloadTooLargeError("A message between two processes", limit, size);
      channel.send(message);
    },
    listen: (listener) => channel.listen(listener),
    keepAlive: (on) => channel.keepAlive(on),
    close: () => channel.close(),
  });
  const serving = {
    accept: (onPeer: (channel: PeerChannel) => void) => lease?.accept?.((own) => onPeer(limited(own))),
  };
  const { owner, logger, driver } = opened;
  serveMembers(serving as unknown as StorageLease, { owner, logger, durability: "full", name: "the owner" });
  return {
    ...opened,
    async join() {
      const peer = await driver.meet?.("hub.db");
      const channel = await peer?.connect();
      if (channel === undefined) throw new Error("The owner lets nobody in.");
      const member: RawMember = {
        batches: [],
        deliveries: [],
        call: (id, operation, args) => channel.send({ type: "calls", calls: [[id, operation, args]], answered: 0 }),
        say: (message) => channel.send(message),
        isClosed: () => isClosed,
      };
      let isClosed = false;
      channel.listen({
        onMessage(message) {
          const { batch } = message as { batch?: OwnerBatch };
          if (batch === undefined) return;
          member.batches.push(batch);
          for (const [, events] of batch.pushes) member.deliveries.push(...(events as StoredDelivery[]));
        },
        onClose: () => (isClosed = true),
      });
      const hello = { protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, session: "00000000000000aa", context: "" };
      channel.send({ type: "hello", ...hello, durability: "full" });
      return member;
    },
  };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
};

describe("hub: messages that are too large for a line", () => {
  it("go to a consumer one by one", async () => {
    const { join, client } = await serve(1_500);
    const member = await join();
    member.call(2, "consume", CONSUME);
    await turns();
    const publishes = [1, 2, 3, 4].map(() => aPublish({ args: { text: "x".repeat(500) } }));
    await Promise.all(publishes.map((publish) => client.call("publish", publish)));
    await turns();
    expect(member.deliveries).toHaveLength(4);
  });

  it("are left out and logged when even one alone does not fit", async () => {
    const { join, client, logger } = await serve(1_500);
    const member = await join();
    member.call(2, "consume", CONSUME);
    await turns();
    const publishes = [2_000, 10].map((length) => aPublish({ args: { text: "x".repeat(length) } }));
    await Promise.all(publishes.map((publish) => client.call("publish", publish)));
    await turns();
    expect(member.deliveries).toHaveLength(1);
    expect(logger.records.map(({ level }) => level)).toEqual(["error"]);
    expect(await client.call("pendingCount", { namespace: NAMESPACE, queue: "mail" })).toBe(0);
  });
});

describe("hub: what no member of this release says", () => {
  const WRONG: Partial<Record<keyof typeof CONSUME, unknown>>[] = [
    { subscription: "1" },
    { subscription: null },
    { namespace: 5 },
    { queues: null },
    { queues: "mail" },
    { queues: [["mail"]] },
    { channels: undefined },
    { channels: [null] },
    { prefetch: null },
    { prefetch: 1.5 },
    { consumerName: {} },
    { defaultVisibilityTimeout: "30000" },
    { defaultVisibilityTimeout: null },
    { defaultVisibilityTimeout: 1e300 },
    { maxDeliveries: null },
    { pollInterval: null },
    { pollInterval: 0 },
  ];

  it.each(WRONG)("makes no consumer of it, and others are served: %j", async (wrong) => {
    const { join, client } = await serve();
    const member = await join();
    member.call(2, "consume", { ...CONSUME, ...wrong });
    await turns();
    await client.call("publish", aPublish());
    await turns();
    expect(member.batches.flatMap(({ replies }) => replies)).toMatchObject([
      [2, null, { code: "STEM_INVALID_OPTION" }],
    ]);
    expect(await client.call("pendingCount", { namespace: NAMESPACE, queue: "mail" })).toBe(1);
  });

  it.each([null, 5, "text", [], {}, { delivery: null }, [null]])(
    "fails alone, whatever it asks for: %j",
    async (args) => {
      const { join, client } = await serve();
      const member = await join();
      for (const [index, operation] of Object.keys(OPERATIONS).entries()) member.call(index + 2, operation, args);
      await turns();
      const consumer = await aConsumer(client);
      await client.call("publish", aPublish());
      expect(consumer.deliveries).toHaveLength(1);
      expect(member.isClosed()).toBe(false);
      expect(member.batches.flatMap(({ replies }) => replies)).toHaveLength(Object.keys(OPERATIONS).length);
    },
  );

  it.each([null, 1, { type: "hello" }, { type: "calls", calls: [null], answered: 0 }, { type: "calls", calls: {} }])(
    "closes the line: %j",
    async (message) => {
      const { join } = await serve();
      const member = await join();
      member.say(message);
      await turns();
      expect(member.isClosed()).toBe(true);
    },
  );
});
