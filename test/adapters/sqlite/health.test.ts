import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqliteBroker, SqliteResultBackend, SqliteRevokeStore } from "../../../adapters/entry/node.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import { FakeClock } from "../../../src/testing/index.ts";
import { ClosedError } from "../../../src/errors.ts";
import { anEnvelope } from "../../support/an-envelope.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { openContexts } from "./hub/open-contexts.ts";

function keep<T extends AsyncDisposable>(store: T): T {
  onTestFinished(() => store[Symbol.asyncDispose]());
  return store;
}

describe("the health of a database", () => {
  it("says of files where they are, what they take and who owns them", async () => {
    const directory = useTempDirectory();
    const path = join(directory, "jobs.sqlite");
    const broker = keep(await SqliteBroker.open("jobs.sqlite", { storage: nodeStorage({ directory }) }));
    await broker.publish(anEnvelope());
    const health = await broker.health();
    expect(health).toEqual({
      database: path,
      storage: { name: "node", persistent: true },
      durability: "full",
      survives: "power-cut",
      engine: { name: "sqlite", version: "3.54.1", place: "thread" },
      role: "owner",
      owner: {
        id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
        description: `process ${process.pid}`,
        since: expect.any(Date) as Date,
        members: 1,
      },
      bytes: statSync(path).size,
      logBytes: statSync(`${path}-stemwal`).size,
      memoryBytes: expect.any(Number) as number,
    });
    expect(health.logBytes).toBeGreaterThan(0);
    expect(health.memoryBytes).toBeGreaterThan(1_000_000);
  });

  it("says of memory that nothing survives, and that the engine runs in this thread", async () => {
    const clock = new FakeClock();
    const opened = clock.now();
    const broker = keep(await SqliteBroker.open("jobs", { storage: memoryStorage(), clock, engine: "inline" }));
    await clock.advance(5_000);
    const health = await broker.health();
    expect(health.storage).toEqual({ name: "memory", persistent: false });
    expect(health.survives).toBe("nothing");
    expect(health.engine.place).toBe("inline");
    expect(health.owner.since).toEqual(new Date(opened));
    expect(health).not.toHaveProperty("origin");
    expect(health.bytes + health.logBytes).toBeGreaterThan(0);
  });

  it("promises less of relaxed durability", async () => {
    const storage = nodeStorage({ directory: useTempDirectory() });
    const options = { storage, durability: "relaxed", engine: "inline" } as const;
    const broker = keep(await SqliteBroker.open("jobs.sqlite", options));
    expect(await broker.health()).toMatchObject({ durability: "relaxed", survives: "process-crash" });
  });

  it("is the same for every store of a database", async () => {
    const options = { storage: memoryStorage(), clock: new FakeClock(), engine: "inline" } as const;
    const broker = keep(await SqliteBroker.open("jobs", options));
    const backend = keep(await SqliteResultBackend.open("jobs", options));
    const revokeStore = keep(await SqliteRevokeStore.open("jobs", options));
    const health = await broker.health();
    expect(await backend.health()).toEqual(health);
    expect(await revokeStore.health()).toEqual(health);
  });

  it("tells a member about the owner, and who the next owner is", async () => {
    const { add, clock } = openContexts();
    const [first, second] = [add(), add()];
    const owning = await first.broker();
    const joined = await second.broker();
    const before = await joined.health();
    expect(before).toMatchObject({ role: "member", owner: { members: 2 } });
    expect(await owning.health()).toEqual({ ...before, role: "owner" });
    await clock.advance(1_000);
    await first.kill();
    const after = await joined.health();
    expect(after).toMatchObject({ role: "owner", owner: { members: 1 } });
    expect(after.owner.id).not.toBe(before.owner.id);
    expect(after.owner.since.getTime()).toBeGreaterThanOrEqual(before.owner.since.getTime() + 1_000);
  });

  it("grows with what is stored", async () => {
    const broker = keep(await SqliteBroker.open(":memory:"));
    const before = await broker.health();
    await broker.publish(anEnvelope({ args: { text: "x".repeat(500_000) } }));
    const after = await broker.health();
    expect(after.bytes + after.logBytes).toBeGreaterThan(before.bytes + before.logBytes + 500_000);
    expect(after.owner.id).toBe(before.owner.id);
  });

  it("is not told by a store that is closed", async () => {
    const broker = await SqliteBroker.open(":memory:");
    await broker.close();
    await expect(broker.health()).rejects.toThrow(ClosedError);
  });
});
