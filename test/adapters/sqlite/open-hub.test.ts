import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { nodePlatform } from "../../../adapters/entry/node-platform.ts";
import type { ConnectionOptions } from "../../../adapters/sqlite/connection-options.ts";
import { type HubHandle, openHub } from "../../../adapters/sqlite/open-hub.ts";
import { installPlatform } from "../../../adapters/sqlite/platform.ts";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { silentLogger } from "../../../src/ports/console-logger.ts";
import { FakeClock } from "../../../src/testing/index.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { aPublish, NAMESPACE } from "./hub/open-owner.ts";

installPlatform(nodePlatform);

const MAIL = { namespace: NAMESPACE, queue: "mail" };

function inline(storage: StorageDriver, options: ConnectionOptions = {}): ConnectionOptions {
  return { storage, engine: "inline", logger: silentLogger, ...options };
}

async function isFree(storage: StorageDriver, database = "a.db"): Promise<boolean> {
  const acquisition = await storage.acquire(database);
  if (acquisition.role !== "owner") return false;
  await acquisition.lease.release();
  return true;
}

const countOf = ({ hub }: HubHandle): Promise<number> => hub.call("pendingCount", MAIL);

describe("open-hub", () => {
  it.each([
    [0, 1],
    [1, 0],
  ])("lets two stores share one database and close in any order (%i first)", async (first, second) => {
    const storage = memoryStorage();
    const handles = [await openHub("a.db", inline(storage)), await openHub(" a.db", inline(storage))] as const;
    expect(handles[0].databaseKey).toBe(handles[1].databaseKey);
    expect(handles[0].hub).toBe(handles[1].hub);
    await handles[0].hub.call("publish", aPublish());
    const [one, other] = [handles[first === 0 ? 0 : 1], handles[second === 0 ? 0 : 1]];
    await one.release();
    await one.release();
    expect(await isFree(storage)).toBe(false);
    expect(await countOf(other)).toBe(1);
    await other.release();
    expect(await isFree(storage)).toBe(true);
  });

  it("opens a database once when many open it at the same time", async () => {
    const storage = memoryStorage();
    const handles = await Promise.all(Array.from({ length: 8 }, () => openHub("a.db", inline(storage))));
    expect(new Set(handles.map(({ hub }) => hub)).size).toBe(1);
    await Promise.all(handles.map((handle) => handle.release()));
    expect(await isFree(storage)).toBe(true);
  });

  it.each(["sqlite:///srv/jobs.sqlite", "sqlite://jobs.sqlite", "file:jobs.sqlite", "SQLite::memory:"])(
    "refuses the URL %s, which as a path would make a folder of a strange name",
    async (url) => {
      await expect(openHub(url, inline(memoryStorage()))).rejects.toMatchObject({
        code: "STEM_INVALID_OPTION",
        message: expect.stringContaining("connect") as string,
      });
      const handle = await openHub(`./${url}`, inline(memoryStorage()));
      await handle.release();
    },
  );

  it("remembers nothing of a share that was given up while others go on", async () => {
    const storage = memoryStorage();
    const first = await openHub("a.db", inline(storage));
    const listening = vi.spyOn(first.hub, "onLost");
    for (let share = 0; share < 3; share += 1) await (await openHub("a.db", inline(storage))).release();
    expect(listening).not.toHaveBeenCalled();
    await first.release();
  });

  it("waits, when opening, for a close that is under way", async () => {
    const storage = memoryStorage();
    const first = await openHub("a.db", inline(storage));
    const published = first.hub.call("publish", aPublish());
    const releasing = first.release();
    const [second, third] = await Promise.all([
      openHub("a.db", inline(storage)),
      openHub("a.db", inline(storage)),
      releasing,
    ]);
    expect(await published).toBe("stored");
    expect(second.hub).not.toBe(first.hub);
    expect(second.hub).toBe(third.hub);
    expect(await countOf(second)).toBe(1);
    await Promise.all([second.release(), third.release()]);
    expect(await isFree(storage)).toBe(true);
  });

  it("takes its share at once, so that a close right after it does not close the database under it", async () => {
    const storage = memoryStorage();
    const looks: boolean[] = [];
    let isClosing = false;
    const watched: StorageDriver = {
      ...storage,
      meet: async () => {
        looks.push(isClosing);
        return undefined;
      },
    };
    const first = await openHub("a.db", inline(watched));
    const opening = openHub("a.db", inline(watched));
    isClosing = true;
    await first.release().finally(() => (isClosing = false));
    await (await opening).release();
    expect(looks).toEqual([false]);
  });

  it("opens and closes many times in a row, losing nothing", async () => {
    const storage = memoryStorage();
    for (let round = 0; round < 10; round += 1) {
      const handle = await openHub("a.db", inline(storage));
      await handle.hub.call("publish", aPublish());
      expect(await countOf(handle)).toBe(round + 1);
      await handle.release();
    }
  });

  it("rejects the calls of a handle whose database is closed", async () => {
    const handle = await openHub("a.db", inline(memoryStorage()));
    await handle.release();
    await expect(countOf(handle)).rejects.toMatchObject({ code: "STEM_CLOSED" });
  });

  it("makes :memory: a new database each time", async () => {
    const handles = [await openHub(":memory:"), await openHub(":memory:")] as const;
    expect(handles[0].databaseKey).not.toBe(handles[1].databaseKey);
    await handles[0].hub.call("publish", aPublish());
    expect(await Promise.all(handles.map(countOf))).toEqual([1, 0]);
    await Promise.all(handles.map((handle) => handle.release()));
  });

  it("takes two names of one file, and two drivers over the same folder, for one database", async () => {
    const directory = useTempDirectory();
    const one = await openHub(join(directory, "a.db"), inline(nodeStorage()));
    const other = await openHub(join(directory, "x", "..", "a.db"), inline(nodeStorage({ directory })));
    expect(other.hub).toBe(one.hub);
    await one.release();
    await other.release();
  });

  it("refuses a second store that asks for other durability or another clock, and takes no share for it", async () => {
    const storage = memoryStorage();
    const clock = new FakeClock();
    const first = await openHub("a.db", inline(storage, { clock }));
    await expect(openHub("a.db", inline(storage, { clock, durability: "relaxed" }))).rejects.toMatchObject({
      code: "STEM_INVALID_OPTION",
      details: { option: "durability" },
    });
    await expect(openHub("a.db", inline(storage, { clock: new FakeClock() }))).rejects.toMatchObject({
      code: "STEM_INVALID_OPTION",
      details: { option: "clock" },
    });
    const second = await openHub("a.db", inline(storage));
    expect(second.clock).toBe(clock);
    await Promise.all([first.release(), second.release()]);
    expect(await isFree(storage)).toBe(true);
  });

  it("says who has the database and does not answer, and can open it once that one lets go", async () => {
    const storage = memoryStorage();
    const acquisition = await storage.acquire("a.db");
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(openHub("a.db", { ...inline(storage), ownerTimeout: 5 })).rejects.toMatchObject({
        code: "STEM_OWNER_UNRESPONSIVE",
        retryable: true,
      });
    }
    if (acquisition.role === "owner") await acquisition.lease.release();
    const handle = await openHub("a.db", inline(storage));
    await handle.release();
  });

  it("gives every one who opens at the same time the same refusal, and the next one a new try", async () => {
    const storage = memoryStorage();
    const acquisition = await storage.acquire("a.db");
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map(() => openHub("a.db", { ...inline(storage), ownerTimeout: 5 })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    if (acquisition.role === "owner") await acquisition.lease.release();
    await (await openHub("a.db", inline(storage))).release();
  });

  it("shares nothing between two memory drivers", async () => {
    const handles = [
      await openHub("a.db", inline(memoryStorage())),
      await openHub("a.db", inline(memoryStorage())),
    ] as const;
    expect(handles[0].databaseKey).not.toBe(handles[1].databaseKey);
    await Promise.all(handles.map((handle) => handle.release()));
  });

  it.each([
    "",
    " ",
    "\t\n",
    "a\0b",
    "\0",
    undefined,
    null,
    5,
    true,
    {},
    [],
    ["a.db"],
    Symbol("s"),
    1n,
    new URL("file:///a.db"),
  ])("refuses the file name of case %#", async (file) => {
    await expect(openHub(file as string, inline(memoryStorage()))).rejects.toMatchObject({
      code: "STEM_INVALID_OPTION",
      details: { option: "file" },
    });
  });
});
