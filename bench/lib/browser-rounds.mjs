// Drives bench/browser in Chromium: what is measured takes turns within each round.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";
import { BROWSER_ARGUMENTS, findBrowser, HOW_TO_GET_A_BROWSER } from "../../scripts/find-browser.mjs";
import { median } from "./statistics.mjs";

/** Beside the code, since `/tmp` is memory on many machines and memory flushes for free. */
const PROFILES = fileURLToPath(new URL("../.stores", import.meta.url));
const MODES = { full: "FULL", relaxed: "NORMAL" };
const PLACES = ["owner", "member"];
const GOAL = { case: "publish-100", storage: "opfs", durability: "full", place: "owner", atLeast: 5_000 };

/** Gives `use` a browser with an empty profile on disk; files of windows without a profile are in memory, and slower. */
export async function withBrowser(use) {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error(`No browser was found. Get one with ${HOW_TO_GET_A_BROWSER}.`);
  await mkdir(PROFILES, { recursive: true });
  const profile = await mkdtemp(join(PROFILES, "profile-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: [...BROWSER_ARGUMENTS] });
  try {
    return await use(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function openPage(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => "bench" in globalThis);
  return page;
}

function rowOf({ name, title, contender, mode, unit, results, better = "higher", goal }) {
  const values = results.map(({ value }) => value);
  const tail = results.flatMap(({ p99 }) => (p99 === undefined ? [] : [`${p99.toFixed(2)} ms`]));
  const middle = median(values);
  return {
    ...{ case: name, title, contender, mode, unit, better, values, tail, median: middle },
    min: Math.min(...values),
    max: Math.max(...values),
    ...(goal === undefined ? {} : { goal: `>= ${goal.toLocaleString("en")}`, met: middle >= goal }),
  };
}

/** All cases with one database: in the tab that owns it, or in a second one. */
async function measureCell(context, url, { database, storage, durability, place, size, cases }) {
  const pages = [await openPage(context, url)];
  if (place === "member") pages.push(await openPage(context, url));
  for (const [index, page] of pages.entries()) {
    const role = await page.evaluate((options) => globalThis.bench.open(options), { database, storage, durability });
    if (role !== PLACES[index]) throw new Error(`Tab ${index} became ${role}.`);
  }
  const page = pages.at(-1);
  const titles = await page.evaluate(() => globalThis.bench.titles);
  const unknown = cases.filter((name) => titles[name] === undefined);
  if (unknown.length > 0) throw new Error(`No case is called ${unknown.join(", ")}.`);
  const seen = [];
  for (const [name, title] of Object.entries(titles)) {
    if (cases.length > 0 && !cases.includes(name)) continue;
    const { perSecond, p99 } = await page.evaluate(([one, of]) => globalThis.bench.run(one, of), [name, size]);
    seen.push({ name, title, value: perSecond, p99 });
  }
  for (const one of pages.toReversed()) await one.evaluate(() => globalThis.bench.close());
  await pages[0].evaluate(() => globalThis.bench.clear());
  for (const one of pages) await one.close();
  return seen;
}

/** Rows of the table: jobs per second, the median over rounds. */
export async function measureRounds(context, url, { storages, durabilities, rounds, onProgress, ...options }) {
  const cells = durabilities.flatMap((durability) =>
    storages.flatMap((storage) => PLACES.map((place) => ({ storage, durability, place }))),
  );
  const found = new Map();
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one.
    for (const cell of [...cells.slice(round % cells.length), ...cells.slice(0, round % cells.length)]) {
      onProgress(`round ${round + 1} of ${rounds}: ${cell.storage}, ${cell.durability}, ${cell.place}`);
      const database = `bench-${round}-${cells.indexOf(cell)}.sqlite`;
      for (const { name, title, ...result } of await measureCell(context, url, { ...options, ...cell, database })) {
        const key = `${name} ${cells.indexOf(cell)}`;
        const entry = found.get(key) ?? { name, title, cell, results: [] };
        entry.results.push(result);
        found.set(key, entry);
      }
    }
  }
  const names = [...new Set([...found.values()].map(({ name }) => name))];
  return names.flatMap((name) =>
    cells.map((cell, index) => {
      const { title, results } = found.get(`${name} ${index}`);
      const { storage, durability, place } = cell;
      const hasGoal = Object.entries({ ...cell, case: name }).every(([key, value]) => GOAL[key] === value);
      const row = { name, title, results, contender: `${storage}, ${place}`, mode: MODES[durability], unit: "jobs/s" };
      return rowOf({ ...row, goal: hasGoal ? GOAL.atLeast : undefined });
    }),
  );
}

/** Rows of the table: from the beginning of a navigation to the first acknowledged publish, in a new profile and again. */
export async function measureFirstQueries(url, { storages, rounds, onProgress }) {
  const found = new Map();
  const add = (title, storage, value) => {
    const key = `${title}, ${storage}`;
    found.set(key, { title, storage, results: [...(found.get(key)?.results ?? []), { value }] });
  };
  const until = (page) => page.evaluate(() => globalThis.bench.first);
  for (let round = 0; round < rounds; round++) {
    for (const storage of storages) {
      onProgress(`first query, round ${round + 1} of ${rounds}: ${storage}`);
      await withBrowser(async (context) => {
        const page = await openPage(context, `${url}?first=${storage}`);
        add("first publish, new profile", storage, await until(page));
        await page.reload();
        await page.waitForFunction(() => "bench" in globalThis);
        add("first publish, after a reload", storage, await until(page));
      });
    }
  }
  return [...found.values()]
    .toSorted((one, other) => other.title.localeCompare(one.title))
    .map(({ title, storage, results }) => {
      const row = { name: "first", title, results, contender: storage, mode: MODES.full, unit: "ms", better: "lower" };
      return rowOf(row);
    });
}
