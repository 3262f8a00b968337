import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Chromium, type Tab } from "./support/chromium.ts";
import { type Site, viteBuild } from "./support/sites.ts";

const STORAGES = [
  { name: "the default", asked: {} },
  { name: "indexeddb", asked: { storage: "indexeddb" } },
  { name: "indexeddb without a worker", asked: { storage: "indexeddb", engine: "inline" } },
];

let site: Site;
let browser: Chromium;
let databases = 0;

beforeAll(async () => {
  site = await viteBuild();
  browser = await Chromium.launch();
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

describe.each(STORAGES)("a queue in Chromium on $name", ({ asked }) => {
  let database: string;

  beforeEach(() => {
    database = `jobs-${++databases}.sqlite`;
  });
  afterEach(async () => browser.closeTabs());

  async function openTab(): Promise<Tab> {
    const tab = await browser.open(site.url);
    await tab.call("open", { database, ...asked });
    return tab;
  }

  it("is there after a reload, and is worked off", async () => {
    const tab = await openTab();
    const [first] = await tab.call<string[]>("enqueue", "one", "two", "three");
    await tab.reload();
    await tab.call("open", { database, ...asked });
    expect(await tab.call("pending")).toBe(3);
    await tab.call("work");
    expect(await tab.call("result", first)).toBe("Hello one");
    await tab.call("close");
    expect(await tab.call("locks")).toEqual([]);
    const kept = `info: "/stem-sqlite/${database}" is kept in storage "opfs".`;
    expect(await tab.call("logs")).toEqual("storage" in asked ? [] : [kept]);
    expect(tab.faults).toEqual([]);
  });

  it("has one owner among the tabs; the others work with it", async () => {
    const [one, two] = [await openTab(), await openTab()];
    await two.call("work");
    const [id] = await one.call<string[]>("enqueue", "one");
    const [other] = await two.call<string[]>("enqueue", "two");
    expect(await one.call("result", id)).toBe("Hello one");
    expect(await one.call("result", other)).toBe("Hello two");
    const owners = (await one.call<string[]>("locks")).filter((name) => name.includes(" owner "));
    expect(owners).toHaveLength(1);
  });

  it.each(["closes", "crashes", "leaves the page"])("goes on in another tab when the owner %s", async (end) => {
    const [owner, other] = [await openTab(), await openTab()];
    const acknowledged = await owner.call<string[]>("enqueue", "one", "two");
    if (end === "closes") await owner.close();
    else if (end === "crashes") await owner.send("Page.crash");
    else void owner.goto("about:blank").catch(() => undefined);
    acknowledged.push(...(await other.call<string[]>("enqueue", "three")));
    await other.call("work");
    const results = await Promise.all(acknowledged.map((id) => other.call("result", id)));
    expect(results).toEqual(["Hello one", "Hello two", "Hello three"]);
  });

  it("has what it acknowledged after the browser crashed", async () => {
    const tab = await openTab();
    await tab.call("enqueue", ...Array.from({ length: 100 }, (_, index) => `job ${index}`));
    await browser.crash(tab);
    const next = await openTab();
    expect(await next.call("pending")).toBe(100);
  });
});
