import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Chromium, type Tab } from "./support/chromium.ts";
import { plainSite, type Site } from "./support/sites.ts";

const HOST = "stem-sqlite.example";

let site: Site;
let url: string;
let browser: Chromium;

beforeAll(async () => {
  site = await plainSite();
  url = site.url.replace("127.0.0.1", HOST);
  browser = await Chromium.launch({ args: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`] });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

describe("a page without https", () => {
  afterEach(async () => browser.closeTabs());

  const open = async (tab: Tab, database: string): Promise<string> => {
    await tab.call("begin", "open", { database });
    return (await tab.call<{ code?: string }>("begun")).code ?? "open";
  };

  it("has no Web Locks, and a queue in IndexedDB that is there after a reload", async () => {
    const tab = await browser.open(url);
    expect(await tab.call("hasLocks")).toBe(false);
    expect(await open(tab, "one.sqlite")).toBe("open");
    const [first] = await tab.call<string[]>("enqueue", "one", "two");
    for (let reload = 0; reload < 3; reload++) {
      await tab.reload();
      expect(await open(tab, "one.sqlite")).toBe("open");
    }
    await tab.call("work");
    expect(await tab.call("result", first)).toBe("Hello one");
    expect(await tab.call("backend")).toBe("indexeddb");
    expect(tab.faults).toEqual([]);
  });

  it("refuses a second tab with a typed error, and lets it in when the first has gone", async () => {
    const [one, two] = [await browser.open(url), await browser.open(url)];
    expect(await open(one, "two.sqlite")).toBe("open");
    await one.call("enqueue", "one");
    expect(await open(two, "two.sqlite")).toBe("STEM_DATABASE_BUSY");
    await one.call("enqueue", "two");
    await one.close();
    expect(await open(two, "two.sqlite")).toBe("open");
    expect(await two.call("pending")).toBe(2);
    expect(two.faults).toEqual([]);
  });

  it("never acknowledges in two tabs what both could lose: an owner that was taken for gone stores nothing", async () => {
    const [one, two] = [await browser.open(url), await browser.open(url)];
    await one.call("configureToHang", "/package/dist/package/browser-engine-thread.js");
    expect(
      await one.call("begin", "open", { database: "three.sqlite", ownerTimeout: 500, engineTimeout: 60_000 }),
    ).toBe(undefined);
    await one.call("begun");
    await one.call("enqueue", "one");
    await one.call("hang", 3_000);
    expect(await open(two, "three.sqlite")).toBe("open");
    expect(await two.call("pending")).toBe(1);
    await two.call("enqueue", "two");
    expect(await one.call("untilRefused")).toBe("STEM_DATABASE_BUSY");
    await two.call("enqueue", "three");
    expect(await two.call("pending")).toBe(3);
  });
});
