import { afterEach, describe, expect, it } from "vitest";
import { cdp } from "vitest/browser";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import { UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { PeerProbe } from "../../contract/storage-driver/peer-probe.ts";
import { Context } from "../support/context.ts";

/** A page and dedicated workers of its origin, as several tabs have them. */
describe("a database among the contexts of an origin", () => {
  const contexts: Context[] = [];
  const start = (): Context => {
    const context = new Context();
    contexts.push(context);
    return context;
  };
  const newDatabase = (): string => `contexts/${crypto.randomUUID()}`;
  const page = opfsStorage();

  afterEach(() => {
    for (const context of contexts.splice(0)) context.kill();
  });

  it("has one owner among workers", async () => {
    const database = newDatabase();
    const several = [start(), start(), start()];
    const roles = await Promise.all(several.map((context) => context.do.acquire(database)));
    expect(roles.toSorted()).toEqual(["member", "member", "owner"]);
  });

  it("cannot be owned by a page, which says what is missing and leaves it free", async () => {
    const database = newDatabase();
    await expect(page.acquire(database)).rejects.toThrow(UnsupportedEnvironmentError);
    await expect(page.acquire(database)).rejects.toThrow(/dedicated workers only/);
    expect(await page.meet?.(database)).toBeUndefined();
    expect(await start().do.acquire(database)).toBe("owner");
  });

  it("is met from a page, which talks with its owner", async () => {
    const database = newDatabase();
    const owner = start();
    await owner.do.acquire(database);
    await owner.do.echo();
    const probe = await join(database);
    probe.channel.send({ text: "hello", gap: [undefined] });
    expect(await probe.received(1)).toEqual([{ text: "hello", gap: [null] }]);
  });

  it("is met from another worker, which talks with its owner until that releases", async () => {
    const database = newDatabase();
    const [owner, member] = [start(), start()];
    await owner.do.acquire(database);
    await owner.do.echo();
    expect(await member.do.connect(database)).toBe(true);
    await member.do.say(1);
    await member.do.say(2);
    expect(await member.do.heard(2)).toEqual([1, 2]);
    await owner.do.release();
    expect(await member.do.closed()).toBe("undefined");
    expect(await member.do.connect(database)).toBe(false);
  });

  it("is free when the worker of its owner is killed, with what was flushed", async () => {
    const database = newDatabase();
    for (let round = 0; round < 5; round++) {
      const [owner, next] = [start(), start()];
      expect(await owner.do.acquire(database)).toBe("owner");
      await owner.do.write(`round ${round}`);
      expect(await next.do.connect(database)).toBe(true);
      const probe = await join(database);
      owner.kill();
      expect(await probe.closed()).toBeUndefined();
      expect(await next.do.closed()).toBe("undefined");
      await until(async () => (await next.do.acquire(database)) === "owner");
      expect(await next.do.read()).toBe(`round ${round}`);
      await next.do.release();
    }
  });

  it("keeps its owner when a member is killed, and the owner is told", async () => {
    const database = newDatabase();
    const [owner, member] = [start(), start()];
    await owner.do.acquire(database);
    await owner.do.collect();
    await member.do.connect(database);
    await member.do.say("I am here");
    await until(async () => (await owner.do.collected(0)).messages.length === 1);
    member.kill();
    await owner.do.memberClosed(0);
    const probe = await join(database);
    probe.channel.send("next");
    await until(async () => (await owner.do.collected(1)).messages.length === 1);
  });

  it("is owned no more when a script of the origin stole its lock", async () => {
    const database = newDatabase();
    const owner = start();
    await owner.do.acquire(database);
    await owner.do.verify();
    const name = `stem-sqlite ${JSON.stringify(["opfs", page.identify(database)])}`;
    await navigator.locks.request(name, { steal: true }, () => undefined);
    await expect(until(async () => (await owner.do.verify()) !== undefined)).rejects.toThrow("OwnershipLostError");
  });

  it("is reported as evicted when the browser deleted it, also while nobody else could see that", async () => {
    const database = newDatabase();
    const owner = start();
    await owner.do.acquire(database);
    await owner.do.verify();
    await clearFiles();
    await expect(until(async () => (await owner.do.verify()) !== undefined)).rejects.toThrow("StorageEvictedError");
  });

  async function join(database: string): Promise<PeerProbe> {
    const channel = await (await page.meet?.(database))?.connect();
    return channel === undefined ? expect.unreachable("nobody was met") : new PeerProbe(channel);
  }
});

/** As a browser that is short of room does, and a user who clears what a site has stored. */
async function clearFiles(): Promise<void> {
  const session = cdp() as unknown as { send(method: string, parameters: object): Promise<unknown> };
  await session.send("Storage.clearDataForOrigin", { origin: location.origin, storageTypes: "file_systems" });
}

/** Asks again until the answer is yes. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}
