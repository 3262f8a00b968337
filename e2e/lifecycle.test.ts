import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Chromium, type Tab } from "./support/chromium.ts";
import { plainSite, type Site } from "./support/sites.ts";

const ENGINE = "/package/dist/package/browser-engine-thread.js";
const STORAGES = [
  { name: "opfs", asked: { storage: "opfs" } },
  { name: "indexeddb", asked: { storage: "indexeddb" } },
];

let site: Site;
let browser: Chromium;
let databases = 0;

beforeAll(async () => {
  site = await plainSite();
  browser = await Chromium.launch({ keepsPages: true });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

let database: string;

/** A tab whose engine can be told to hang. */
async function openTab(options: object): Promise<Tab> {
  const tab = await browser.open(site.url);
  await tab.call("configureToHang", ENGINE);
  await tab.call("open", { database, ...options });
  return tab;
}

describe.each(STORAGES)("the life of a page that has a queue on $name", ({ asked }) => {
  beforeEach(() => {
    database = `life-${++databases}.sqlite`;
  });
  afterEach(async () => browser.closeTabs());

  it("has a hung engine replaced, and each call under way takes effect once", async () => {
    const [owner, other] = [await openTab(asked), await openTab(asked)];
    const before = await owner.call<string[]>("enqueue", "before");
    await owner.call("hang");
    const hungAt = performance.now();
    await owner.call("begin", "enqueue", "own");
    const others = await other.call<string[]>("enqueue", "other");
    const { value: own = [] } = await owner.call<{ value?: string[] }>("begun");
    console.log(`Replaced a hung engine in ${Math.round(performance.now() - hungAt)} ms.`);
    expect(await other.call("pending")).toBe(3);
    await owner.call("work");
    const ids = [...before, ...own, ...others];
    const results = await Promise.all(ids.map((id) => owner.call("result", id)));
    expect(results).toEqual(["Hello before", "Hello own", "Hello other"]);
    expect(await owner.call("logs")).toContain(
      "error: The engine does not answer any more; it is ended, and started again.",
    );
    expect([...owner.faults, ...other.faults]).toEqual([]);
  });

  it("goes on by itself when one comes back to the page, and others go on meanwhile", async () => {
    const tab = await openTab(asked);
    await tab.call("work");
    const [first] = await tab.call<string[]>("enqueue", "first");
    await tab.call("result", first);
    await tab.call("mark", "kept");
    await tab.leave(site.url.replace("queue.html", "empty.html"));
    const other = await openTab(asked);
    const [meanwhile] = await other.call<string[]>("enqueue", "meanwhile");
    await tab.goBack();
    expect(await tab.call("marked")).toBe("kept");
    expect(await tab.call("result", meanwhile)).toBe("Hello meanwhile");
    const [last] = await tab.call<string[]>("enqueue", "last");
    expect(await other.call("result", last)).toBe("Hello last");
    expect(tab.faults).toEqual([]);
  });

  it("takes nothing from an owner whose page is frozen", async () => {
    const owner = await openTab(asked);
    const other = await openTab({ ...asked, ownerTimeout: 1_500 });
    const ownerLock = (await other.call<string[]>("locks")).find((name) => name.includes(" owner "));
    const [before] = await owner.call<string[]>("enqueue", "before");
    await owner.setFrozen(true);
    await other.call("begin", "enqueue", "during");
    const during = await other.call<{ value?: string[]; code?: string }>("begun");
    // Whether the worker of a frozen page stops is up to the browser.
    if (during.value === undefined) expect(during.code).toMatch(/^STEM_(OUTCOME_UNKNOWN|OWNER_UNRESPONSIVE)$/);
    expect(await other.call<string[]>("locks")).toContain(ownerLock);
    await owner.setFrozen(false);
    await owner.call("work");
    const [after] = await other.call<string[]>("enqueue", "after");
    expect(await other.call("result", before)).toBe("Hello before");
    expect(await other.call("result", after)).toBe("Hello after");
    expect(other.faults).toEqual([]);
  });
});

describe.each(STORAGES)("a page on $name from which something is taken", ({ asked }) => {
  beforeEach(() => {
    database = `taken-${++databases}.sqlite`;
  });
  afterEach(async () => browser.closeTabs());

  it("goes on, as the owner or as a member, when its lock was taken away", async () => {
    const tab = await openTab(asked);
    await tab.call("enqueue", "before");
    await tab.call("stealLocks");
    expect(await tab.call<string[]>("enqueue", "after")).toHaveLength(1);
    expect(await tab.call("pending")).toBe(2);
    expect(tab.faults).toEqual([]);
  });

  it("ends with a typed error in all tabs when what the site stored was cleared, and starts afresh", async () => {
    const [owner, other] = [await openTab(asked), await openTab(asked)];
    await owner.call("enqueue", "lost");
    await owner.clearStorage("file_systems,indexeddb");
    const errors = await Promise.all([owner.call("untilFault"), other.call("untilFault")]);
    expect(errors).toEqual(["STEM_STORAGE_EVICTED", "STEM_STORAGE_EVICTED"]);
    await other.close();
    // Until it is restarted, Chromium keeps handles of files that it has removed.
    if (asked.storage === "opfs") await browser.crash(owner);
    const next = await openTab(asked);
    expect(await next.call("pending")).toBe(0);
    await next.call("enqueue", "new");
  });
});
