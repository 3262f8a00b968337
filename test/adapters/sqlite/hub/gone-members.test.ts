import { describe, expect, it } from "vitest";
import { Members } from "../../../../adapters/sqlite/hub/members.ts";
import { RELEASE_LEASE } from "../../../../adapters/sqlite/sql/queue-jobs.ts";
import type { SqlSession } from "../../../../src/contracts/sql-database.ts";
import type { Owner } from "../../../../adapters/sqlite/hub/owner.ts";
import type { OwnerMember } from "../../../../adapters/sqlite/hub/owner-parts.ts";
import type { OwnerBatch, Reply } from "../../../../adapters/sqlite/hub/protocol.ts";
import { aConsumer, aPublish, NAMESPACE, openOwner } from "./open-owner.ts";

const SESSION = "00000000000000aa";
const CONSUME = {
  subscription: 1,
  namespace: NAMESPACE,
  queues: ["mail"],
  channels: [],
  prefetch: 1,
  consumerName: "remote",
  defaultVisibilityTimeout: 30_000,
  maxDeliveries: 5,
  pollInterval: 1e11,
};

interface Line {
  readonly member: OwnerMember;
  readonly replies: Reply[];
}

/** The line of a member in another context. */
function aLine(owner: Owner, session = SESSION): Line {
  const replies: Reply[] = [];
  const deliver = (batch: OwnerBatch): void => void replies.push(...batch.replies);
  return { member: owner.connect(deliver, { session, remote: true, context: "" }), replies };
}

describe("hub: what a member asked for before its line ended", () => {
  it("makes no consumer that nobody reads", async () => {
    const { owner, client } = await openOwner();
    const line = aLine(owner);
    line.member.receive([[2, "consume", CONSUME]]);
    line.member.close(false);
    await client.call("publish", aPublish());
    const { deliveries } = await aConsumer(client);
    expect(deliveries).toHaveLength(1);
  });

  it("makes no consumer either when it arrives after the end", async () => {
    const { owner, client } = await openOwner();
    const line = aLine(owner);
    line.member.close(false);
    line.member.receive([[2, "consume", CONSUME]]);
    await client.call("publish", aPublish());
    const { deliveries } = await aConsumer(client);
    expect(deliveries).toHaveLength(1);
  });

  it("takes effect once when the member comes back at once and repeats it", async () => {
    const { owner, client } = await openOwner();
    await client.call("publish", aPublish());
    const purge = [2, "purge", { namespace: NAMESPACE, queue: "mail" }] as const;
    const first = aLine(owner);
    first.member.receive([purge]);
    const second = aLine(owner);
    second.member.receive([purge]);
    first.member.receive([purge]);
    await client.call("pendingCount", { namespace: NAMESPACE, queue: "mail" });
    expect(first.replies).toEqual([]);
    expect(second.replies).toEqual([[2, 1]]);
  });
});

describe("hub: what a member held when its line ended", () => {
  /** Says of every statement that it changed a row, and remembers which leases were released. */
  function aSession(): { sql: SqlSession; released: unknown[] } {
    const released: unknown[] = [];
    const run: SqlSession["run"] = (statement, values) => {
      if (statement === RELEASE_LEASE) released.push(values?.["seq"]);
      return 1;
    };
    return { sql: { run, get: () => undefined, all: () => [] }, released };
  }

  it("is given back again until a transaction that did it was committed, and then no more", () => {
    const members = new Members(() => false);
    const gone = (session: string, seq: number): void => {
      const member = members.add({ session, remote: true, context: "" });
      members.remove(member, [{ seq, token: 1, namespace: NAMESPACE, queue: "mail" }], false);
    };
    gone("a", 1);
    const { sql, released } = aSession();
    members.settle(sql, 0);
    // That one was undone; and somebody else leaves while the next is being made durable.
    gone("b", 2);
    members.settle(sql, 0);
    gone("c", 3);
    members.settled();
    expect(members.haveLeft).toBe(true);
    members.settle(sql, 0);
    members.settled();
    expect(members.haveLeft).toBe(false);
    expect(released).toEqual([1, 1, 2, 3]);
  });
});
