import { describe, expect, it } from "vitest";
import { Copies } from "../../../../adapters/sqlite/hub/copies.ts";
import { beginCopy } from "../../../../adapters/sqlite/operations/database-file.ts";
import type { OperationScope } from "../../../../adapters/sqlite/operations/operation.ts";
import type { StorageLease } from "../../../../src/contracts/storage-driver.ts";
import { StorageIoError } from "../../../../src/errors.ts";
import { createEnvelope } from "../../../../src/index.ts";
import { readForeign } from "../../../support/foreign-reader.ts";
import { openContexts } from "./open-contexts.ts";
import { aPublish, openOwner } from "./open-owner.ts";

const COUNT = "select count(*) from queue_jobs";
const START = { id: 1, at: 0, length: 15 };

describe("hub/copies", () => {
  it("are read in parts, by who made them, until they are ended", async () => {
    const { client } = await openOwner();
    const size = await client.call("beginCopy", { id: 1 });
    expect(size % 4096).toBe(0);
    expect(atob((await client.call("readCopy", START)) ?? "")).toBe("SQLite format 3");
    expect(await client.call("readCopy", { id: 1, at: size, length: 15 })).toBe("");
    expect(await client.call("readCopy", { ...START, id: 2 })).toBeNull();
    await client.call("endCopy", { id: 1 });
    expect(await client.call("readCopy", START)).toBeNull();
  });

  it("count as soon as they are made, so that those of one transaction share the room", () => {
    const copies = new Copies();
    const room: number[] = [];
    const copy = (most: number): Uint8Array<ArrayBuffer> => {
      room.push(most);
      return new Uint8Array(10);
    };
    const scope = { copies, file: { copy }, member: { session: "a" }, afterCommit: () => undefined };
    for (const id of [1, 2]) beginCopy.run(scope as unknown as OperationScope, { id });
    copies.settle();
    beginCopy.run(scope as unknown as OperationScope, { id: 3 });
    expect(room.map((most) => most - (room[0] ?? 0))).toEqual([0, -10, 0]);
  });

  it("are forgotten when their member goes", async () => {
    const { owner, clock, client } = await openOwner();
    const identity = { session: "0011223344556677", remote: true, context: "" };
    const replies: unknown[] = [];
    const join = () => owner.connect((batch) => void replies.push(...batch.replies), identity);
    const answered = async (member: ReturnType<typeof join>, id: number, name: string, args: object) => {
      member.receive([[id, name, args]]);
      await clock.advance(1);
      await client.call("pendingCount", { namespace: "test", queue: "mail" });
      return replies.at(-1);
    };
    const first = join();
    await answered(first, 1, "beginCopy", { id: 1 });
    expect(await answered(first, 2, "readCopy", START)).toEqual([2, btoa("SQLite format 3")]);
    first.close(false);
    expect(await answered(join(), 3, "readCopy", START)).toEqual([3, null]);
  });

  it("show nothing of a transaction that failed", async () => {
    let fails = false;
    const wrap = (lease: StorageLease): StorageLease => ({
      ...bound(lease),
      open(name) {
        const file = lease.open(name);
        return {
          read: (into, at) => file.read(into, at),
          truncate: (size) => file.truncate(size),
          size: () => file.size(),
          close: () => file.close(),
          flush: () => file.flush(),
          write(from, at) {
            if (fails) throw new StorageIoError("write", lease.path, "EIO");
            file.write(from, at);
          },
        };
      },
    });
    const { client } = await openOwner({ wrap });
    fails = true;
    const outcomes = await Promise.allSettled([
      client.call("publish", aPublish()),
      client.call("beginCopy", { id: 1 }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    fails = false;
    expect(await client.call("readCopy", START)).toBeNull();
  });

  it("are begun again at the next owner, and are never a mixture", async () => {
    const { add } = openContexts();
    const [first, second] = [add(), add()];
    const owning = await first.broker();
    const text = "x".repeat(200_000);
    for (let number = 0; number < 20; number += 1) {
      await owning.publish(createEnvelope({ name: "mail", args: { text } }));
    }
    const database = await second.database();
    const exporting = database.export();
    // The first part has arrived; then the owner is gone, and the next one is asked for parts it does not have.
    await database.query(COUNT);
    await first.kill();
    await database.query(COUNT);
    const ask = readForeign(await exporting);
    expect(ask("pragma integrity_check")).toEqual([["ok"]]);
    expect(ask(COUNT)).toEqual([[20]]);
    expect(second.isOwner).toBe(true);
  });
});

function bound(lease: StorageLease): StorageLease {
  return {
    path: lease.path,
    open: (name) => lease.open(name),
    exists: (name) => lease.exists(name),
    delete: (name, options) => lease.delete(name, options),
    verify: () => lease.verify(),
    durable: () => lease.durable(),
    release: () => lease.release(),
  };
}
