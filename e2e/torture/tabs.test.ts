import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSeededRandomness } from "stem-sqlite/testing";
import { checkQueueHistory } from "../../test/support/queue-history/check-queue-history.ts";
import { Chromium } from "../support/chromium.ts";
import { plainSite, type Site } from "../support/sites.ts";
import { EVENTS, sleep, TabCrowd, type TabSettings } from "./tab-crowd.ts";

const ASKED = process.env["STEM_TORTURE_EVENTS"];
const EVENTS_IN_ALL = Number(ASKED ?? 200);
const SEED = Number(process.env["STEM_TORTURE_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const RUNS = [
  { storage: "opfs", tabs: 2 },
  { storage: "opfs", tabs: 4 },
  { storage: "indexeddb", tabs: 2 },
  { storage: "indexeddb", tabs: 4 },
] as const;
const EVENTS_PER_RUN = Math.ceil(EVENTS_IN_ALL / RUNS.length);
/** What a run may take when nobody asked for a number of events: slow machines do fewer. */
const MOST_MS = ASKED === undefined ? 25_000 : Number.POSITIVE_INFINITY;
const LIMITS = { leaseMs: 3_000, maxDeliveries: 1_000, engineTimeout: 1_500, publishPauseMs: 25 };
const LONGEST_WAIT_MS = 300;
/** Things that happen at a time. */
const LANES = 2;
/** A hang takes long to be found: one event in so many. */
const HANG_ONCE_IN = 12;

let site: Site;

beforeAll(async () => {
  site = await plainSite();
});
afterAll(async () => {
  await site.close();
});

describe("torture/tabs", () => {
  it.each(RUNS)(
    `loses nothing on $storage while $tabs tabs are disturbed`,
    async ({ storage, tabs }) => {
      console.log(`Replay: npm run torture -- tabs --events ${EVENTS_IN_ALL} --seed ${SEED}`);
      const browser = await Chromium.launch({ keepsPages: true });
      try {
        const settings: TabSettings = { ...LIMITS, storage, database: "torture.sqlite" };
        const crowd = new TabCrowd(browser, site.url.replace("queue.html", "torture.html"), settings, SEED);
        await crowd.listen();
        await disturb(crowd, tabs);
        const end = await crowd.drain();
        const history = crowd.history();
        const { violations, totals } = checkQueueHistory(history, end, LIMITS);
        const events = crowd.disturbances.length;
        const owners = crowd.disturbances.filter(({ wasKnownOwner }) => wasKnownOwner).length;
        console.log(JSON.stringify({ storage, tabs, events, owners, ...totals, complaints: [...crowd.complaints] }));
        if (ASKED !== undefined) expect(events).toBeGreaterThanOrEqual(EVENTS_PER_RUN);
        expect(violations.slice(0, 20)).toEqual([]);
        expect(totals.acked).toBeGreaterThan(0);
      } finally {
        await browser.close();
      }
    },
    120_000 + EVENTS_PER_RUN * 10_000,
  );
});

/** Does several things at a time; with two tabs it may be that none is left. */
async function disturb(crowd: TabCrowd, tabs: number): Promise<void> {
  while (crowd.size < tabs) await crowd.add();
  const until = performance.now() + MOST_MS;
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    const random = createSeededRandomness(SEED * LANES + lane);
    while (crowd.disturbances.length < EVENTS_PER_RUN && performance.now() < until) {
      await sleep(random.number() * LONGEST_WAIT_MS);
      const quick = EVENTS.filter((event) => event !== "hang");
      const event = random.number() * HANG_ONCE_IN < 1 ? "hang" : quick[Math.floor(random.number() * quick.length)];
      await crowd.disturb(event ?? "close", random);
      while (crowd.size < tabs) await crowd.add();
    }
  });
  await Promise.all(lanes);
}
