import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSeededRandomness } from "stem-sqlite/testing";
import { type Figures, figuresOf, reportFigures } from "../../test/support/figures.ts";
import { checkQueueHistory } from "../../test/support/queue-history/check-queue-history.ts";
import type { QueueRecord } from "../../test/support/queue-history/history-record.ts";
import { Chromium } from "../support/chromium.ts";
import { plainSite, type Site } from "../support/sites.ts";
import { type Disturbance, EVENTS, sleep, TabCrowd, type TabEvent, type TabSettings } from "./tab-crowd.ts";

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
/** A hang takes long to be found: one event in so many. */
const HANG_ONCE_IN = 12;
const ENDS: ReadonlySet<TabEvent> = new Set(["close", "crash", "reload", "navigate", "hang"]);

let site: Site;
const gaps = new Map<string, number[]>();

beforeAll(async () => {
  site = await plainSite();
});
afterAll(async () => {
  await site.close();
  const figures = [...gaps].toSorted(([one], [other]) => one.localeCompare(other));
  reportFigures(
    "tab-failover",
    Object.fromEntries(figures.map(([cause, times]): [string, Figures] => [cause, figuresOf(times)])),
  );
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
        measure(storage, crowd.disturbances, history);
        const { violations, totals } = checkQueueHistory(history, end, LIMITS);
        const events = crowd.disturbances.length;
        console.log(JSON.stringify({ storage, tabs, events, ...totals, complaints: [...crowd.complaints] }));
        expect(violations.slice(0, 20)).toEqual([]);
        expect(totals.acked).toBeGreaterThan(0);
      } finally {
        await browser.close();
      }
    },
    120_000 + EVENTS_PER_RUN * 10_000,
  );
});

async function disturb(crowd: TabCrowd, tabs: number): Promise<void> {
  const random = createSeededRandomness(SEED);
  while (crowd.size < tabs) await crowd.add();
  const until = performance.now() + MOST_MS;
  for (let count = 0; count < EVENTS_PER_RUN && performance.now() < until; count++) {
    await sleep(random.number() * LONGEST_WAIT_MS);
    const quick = EVENTS.filter((event) => event !== "hang");
    const event = random.number() * HANG_ONCE_IN < 1 ? "hang" : quick[Math.floor(random.number() * quick.length)];
    await crowd.disturb(event ?? "close", random);
    while (crowd.size < tabs) await crowd.add();
  }
}

/** From the end of an owner until somebody else's call, asked for after it, was answered. */
function measure(storage: string, disturbances: readonly Disturbance[], history: readonly QueueRecord[]): void {
  for (const { event, life, at, wasOwner } of disturbances) {
    if (!wasOwner || !ENDS.has(event)) continue;
    const answers = history.flatMap(({ process, op, invoked, completed, outcome }) => {
      const counts = process !== life && op === "publish" && outcome === "ok" && invoked > at;
      return counts && completed !== undefined ? [completed - at] : [];
    });
    const gap = Math.min(...answers);
    if (!Number.isFinite(gap)) continue;
    const cause = `${storage}, ${event}`;
    gaps.set(cause, [...(gaps.get(cause) ?? []), gap]);
  }
}
