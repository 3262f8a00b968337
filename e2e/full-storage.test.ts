import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Chromium } from "./support/chromium.ts";
import { type Site, viteBuild } from "./support/sites.ts";

const MEGABYTE = 1_000_000;

interface Filled {
  readonly acknowledged: number;
  readonly failed: readonly string[];
}

describe("a queue in Chromium whose storage is full", () => {
  let site: Site;
  let browser: Chromium;

  beforeAll(async () => {
    site = await viteBuild();
  });
  afterAll(async () => site.close());
  beforeEach(async () => {
    browser = await Chromium.launch();
  });
  afterEach(async () => browser.close());

  it.each(["opfs", "indexeddb"])(
    "loses nothing it acknowledged, and goes on once there is room: %s",
    async (storage) => {
      const tab = await browser.open(site.url);
      // Before anything is stored: for half a minute the browser counts on the room there was.
      await tab.setQuota(20 * MEGABYTE);
      await tab.call("open", { database: storage, storage });
      const full = await tab.call<Filled>("fill", 300, 200_000);
      expect(full.failed).toEqual(["STEM_STORAGE_FULL", "STEM_STORAGE_FULL", "STEM_STORAGE_FULL"]);
      await tab.setQuota();
      const more = await tab.call<Filled>("fill", 10, 200_000);
      expect(more).toEqual({ acknowledged: 10, failed: [] });
      await tab.reload();
      await tab.call("open", { database: storage, storage });
      expect(await tab.call("pending")).toBe(full.acknowledged + 10);
    },
  );
});
