import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Chromium, type Tab } from "./support/chromium.ts";
import { plainSite, type Site } from "./support/sites.ts";

describe("where a database is kept in Chromium", () => {
  let site: Site;
  let browser: Chromium;

  beforeAll(async () => {
    site = await plainSite();
  });
  afterAll(async () => site.close());
  beforeEach(async () => {
    browser = await Chromium.launch();
  });
  afterEach(async () => browser.close());

  /** A tab in which files of the browser can be used, or not. */
  async function openTab(hasFiles: boolean): Promise<Tab> {
    const tab = await browser.open(site.url);
    if (!hasFiles) await tab.call("configureWithoutFiles", "/package/dist/package/browser-engine-thread.js");
    return tab;
  }

  it("is IndexedDB where files do not work, with a warning once, and stays so where they do", async () => {
    const first = await openTab(false);
    await first.call("open");
    await first.call("enqueue", "one");
    expect(await first.call("backend")).toBe("indexeddb");
    expect(await first.call("logs")).toEqual([
      expect.stringMatching(
        /^warn: .* is new and will be kept in storage "indexeddb", not in "opfs": This environment/,
      ),
    ]);
    await first.close();
    const second = await openTab(true);
    await second.call("open");
    expect(await second.call("pending")).toBe(1);
    expect(await second.call("logs")).toEqual(['info: "/stem-sqlite/jobs.sqlite" is kept in storage "indexeddb".']);
  });

  it("is never a second, empty place: without the files that have it, opening is an error", async () => {
    const first = await openTab(true);
    await first.call("open");
    await first.call("enqueue", "one");
    await first.close();
    const second = await openTab(false);
    await expect(second.call("open")).rejects.toThrow("This environment lacks synchronous file handles");
    const third = await openTab(true);
    await third.call("open");
    expect(await third.call("pending")).toBe(1);
  });

  it("does not matter to a member: without files of its own it works with the owner that has them", async () => {
    const owner = await openTab(true);
    await owner.call("open");
    const member = await openTab(false);
    await member.call("open");
    await member.call("work");
    const [id] = await owner.call<string[]>("enqueue", "one");
    expect(await member.call("result", id)).toBe("Hello one");
  });

  it("is IndexedDB for an engine in the page itself", async () => {
    const tab = await openTab(true);
    await tab.call("open", { engine: "inline" });
    expect(await tab.call("backend")).toBe("indexeddb");
  });
});
