import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Figures, figuresOf, reportFigures } from "../../test/support/figures.ts";
import { Chromium, type Tab } from "../support/chromium.ts";
import { plainSite, type Site } from "../support/sites.ts";

const TIMES = Number(process.env["STEM_TORTURE_FAILOVERS"] ?? 1);
const ENGINE = "/package/dist/package/browser-engine-thread.js";
const CALLS_AT_ONCE = 4;
/** So many answers of the next owner end a look. */
const ENOUGH = 20;
/** A tab that was there that long has an engine's worker ready. */
const SETTLED_MS = 1_300;
const CAUSES = ["close", "crash", "reload", "navigate", "hang"] as const;
const CROWDS = (["opfs", "indexeddb"] as const).flatMap((storage) => [2, 4].map((tabs) => ({ storage, tabs })));
type Cause = (typeof CAUSES)[number];

let site: Site;
let databases = 0;
const gaps = new Map<string, number[]>();

beforeAll(async () => {
  site = await plainSite();
});
afterAll(async () => {
  await site.close();
  console.log(`Repeat: npm run torture -- tab-failover --failover ${TIMES}`);
  const figures = [...gaps].map(([what, times]): [string, Figures] => [what, figuresOf(times)]);
  reportFigures("tab-failover", Object.fromEntries(figures));
});

describe.each(CROWDS)("torture/tab-failover with $tabs tabs on $storage", ({ storage, tabs }) => {
  let browser: Chromium;
  beforeAll(async () => {
    browser = await Chromium.launch();
  });
  afterAll(async () => browser.close());

  it.each(CAUSES)(
    `serves the others again after %s of the owner, ${TIMES} times`,
    async (cause) => {
      for (let time = 0; time < TIMES; time++) {
        const gap = await failover(browser, { storage, tabs, cause });
        const what = `${storage}, ${tabs} tabs, ${cause}`;
        gaps.set(what, [...(gaps.get(what) ?? []), gap * 1_000]);
      }
    },
    60_000 + TIMES * 20_000,
  );
});

/** How long one of the tabs that stay went without an answer. */
async function failover(
  browser: Chromium,
  { storage, tabs, cause }: Readonly<{ storage: string; tabs: number; cause: Cause }>,
): Promise<number> {
  const database = `failover-${++databases}.sqlite`;
  const open = async (): Promise<Tab> => {
    const tab = await browser.open(site.url);
    await tab.call("configureToHang", ENGINE);
    await tab.call("open", { storage, database });
    return tab;
  };
  const owner = await open();
  const others: Tab[] = [];
  while (others.length < tabs - 1) others.push(await open());
  const [seen, ...rest] = others;
  if (seen === undefined) throw new Error("Nobody is there to see it.");
  await seen.call("publishOn", CALLS_AT_ONCE);
  // Who waits for nothing makes nothing ready.
  for (const other of rest) await other.call("work");
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const former = await seen.call<string>("markOwner");
  await strike(owner, cause);
  const gap = await seen.call<number>("gapAfter", former, ENOUGH);
  await seen.call("publishNoMore");
  for (const other of others) expect(other.faults).toEqual([]);
  await browser.closeTabs();
  return gap;
}

async function strike(owner: Tab, cause: Cause): Promise<void> {
  switch (cause) {
    case "close":
      return owner.close();
    case "crash":
      return owner.send("Page.crash");
    case "reload":
      return owner.reload();
    case "navigate":
      return owner.leave(site.url.replace("queue.html", "empty.html"));
    case "hang":
      return owner.call<undefined>("hang");
  }
}
