import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createSeededRandomness } from "../../src/testing/index.ts";
import type { RecordTotals } from "../support/check-workflow-record.ts";
import { useTempDirectory } from "../support/temp-directory.ts";
import { type RunGist, WorkflowDeaths, type WorkflowLife } from "../support/workflow-deaths.ts";
import { EXAMPLE_RUNS } from "../support/workflow-examples.ts";

const SECONDS = Number(process.env["STEM_TORTURE_SECONDS"] ?? 8);
const SEED = Number(process.env["STEM_TORTURE_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const REPLAY = `Replay: npm run torture -- --seconds ${SECONDS} --seed ${SEED} workflows`;
const EXAMPLES = Object.keys(EXAMPLE_RUNS);
const TIME_LIMIT_MS = 180_000 + SECONDS * 2_000;
/** Kills of one set of runs; after so many its processes are left alone, so that it ends. */
const MOST_KILLS = 12;
/** Of so many lives, one is ended while it still opens its file. */
const EARLY_KILL_EVERY = 5;
const MAX_OPENING_MS = 200;
const MAX_LINES = 25;
const MAX_EXTRA_MS = 10;
/** How far a call may have come that was let go. */
const MAX_CALL_MS = 3;
const LOOK_MS = 5;

let undisturbed: Promise<readonly RunGist[]> | undefined;

describe("torture/workflows", () => {
  it(
    "comes to the same end whatever step or call of a store its process is killed at",
    async () => {
      console.log(REPLAY);
      const folder = useTempDirectory();
      await expected();
      const kills = await Promise.all(EXAMPLES.map((example, index) => killEverywhere(folder, example, SEED + index)));
      const found = EXAMPLES.map((example, index) => `${example}: ${kills[index]?.join(" and ")}`);
      console.log(`Killed at each place and inside of each call of ${found.join(", ")}`);
      for (const [at, inside] of kills) expect(Math.min(at - 3, inside)).toBeGreaterThan(2);
    },
    TIME_LIMIT_MS,
  );

  it.each([["its process", 1] as const, ["the owner of two processes", 2] as const])(
    "comes to the same end whenever a signal ends %s",
    async (_who, processes) => {
      console.log(REPLAY);
      const folder = useTempDirectory();
      await expected();
      const random = createSeededRandomness(SEED).number;
      const sums = { rounds: 0, kills: 0, effects: 0, repeated: 0 };
      const until = Date.now() + (SECONDS * 1_000) / 2;
      do {
        const deaths = new WorkflowDeaths(folder, `round-${sums.rounds}`, EXAMPLES);
        await killAtRandom(deaths, processes, random);
        const { runs, totals } = await deaths.verdict();
        expect(runs).toEqual(await expected());
        add(sums, totals);
      } while (Date.now() < until);
      console.log(`${processes} at once: ${JSON.stringify(sums)}`);
      expect(sums.kills).toBeGreaterThan(0);
    },
    TIME_LIMIT_MS,
  );
});

/** What each run comes to when nothing disturbs it. To be called in a test. */
async function expected(): Promise<readonly RunGist[]> {
  undisturbed ??= (async () => {
    const deaths = new WorkflowDeaths(useTempDirectory(), "undisturbed", EXAMPLES);
    expect(await deaths.start().program.ended).toBe(0);
    const { runs, totals } = await deaths.verdict();
    expect(totals.repeated).toBe(0);
    return runs;
  })();
  return undisturbed;
}

/** Returns how many lives were killed at places, and how many in the midst of a call. */
async function killEverywhere(folder: string, example: string, seed: number): Promise<readonly [number, number]> {
  const random = createSeededRandomness(seed).number;
  const counts: [number, number] = [0, 0];
  for (const [index, where] of (["at", "inside"] as const).entries()) {
    const deaths = new WorkflowDeaths(folder, `${example}-${where}`, [example]);
    const places = new Set<string>();
    while (await killAtNewPlace(deaths, places, (place) => delayOf(where, place, random)));
    const { runs, totals } = await deaths.verdict();
    expect(runs).toEqual((await expected()).filter(({ runId }) => runId === example));
    expect(totals.kills).toBe(places.size);
    counts[index] = places.size;
  }
  return counts;
}

/**
 * How long a life goes on from a place where it is to be killed; `undefined` where it is not to be. Nothing lies between
 * the beginning of a call and what comes before it, so one only is killed there when the call is to be interrupted.
 */
function delayOf(where: "at" | "inside", place: string, random: () => number): number | undefined {
  const isCall = place.startsWith("before");
  if (where === "at") return isCall ? undefined : 0;
  return isCall ? random() * MAX_CALL_MS : undefined;
}

/** Kills a life at the first place where none was killed yet. Returns `false` when it ended by itself. */
async function killAtNewPlace(
  deaths: WorkflowDeaths,
  places: Set<string>,
  delayAt: (place: string) => number | undefined,
): Promise<boolean> {
  const life = deaths.start("step");
  const { program } = life;
  for (let read = 0; await hasPrinted(life, read + 1); read += 1) {
    const place = program.lines[read] ?? "";
    const delay = places.has(place) ? undefined : delayAt(place);
    // Without a byte it stands still until it is gone.
    if (delay !== 0) program.write("");
    if (delay === undefined) continue;
    places.add(place);
    if (delay > 0) await sleep(delay);
    await deaths.kill(life);
    return true;
  }
  expect(await program.ended).toBe(0);
  return false;
}

/** Keeps so many processes running, and kills the owner, until they have ended by themselves. */
async function killAtRandom(deaths: WorkflowDeaths, processes: number, random: () => number): Promise<void> {
  const running = new Set<WorkflowLife>();
  const codes: (number | null)[] = [];
  const start = (): void => {
    const life = deaths.start();
    running.add(life);
    void life.program.ended.then((code) => (running.delete(life) ? codes.push(code) : undefined));
  };
  for (let count = 0; count < processes; count += 1) start();
  for (let kills = 0; kills < MOST_KILLS && running.size === processes; kills += 1) {
    await waitAtRandom([...running], kills % EARLY_KILL_EVERY === EARLY_KILL_EVERY - 1, random);
    const victim = await theOwner(deaths, running, processes);
    if (victim === undefined) break;
    running.delete(victim);
    await deaths.kill(victim);
    start();
  }
  await Promise.all([...running].map(({ program }) => program.ended));
  expect(codes).toEqual(Array.from({ length: processes }, () => 0));
}

/** Measured in work, so that a busy machine tests as much as an idle one, with a little time to hit the middle. */
async function waitAtRandom(lives: readonly WorkflowLife[], early: boolean, random: () => number): Promise<void> {
  const more = 1 + Math.floor(random() * MAX_LINES);
  if (!early) await Promise.race(lives.map((life) => hasPrinted(life, life.program.lines.length + more)));
  await sleep(random() * (early ? MAX_OPENING_MS : MAX_EXTRA_MS));
}

/** A lone process is killed also before it owns the file; `undefined` once one has ended by itself. */
async function theOwner(
  deaths: WorkflowDeaths,
  running: ReadonlySet<WorkflowLife>,
  processes: number,
): Promise<WorkflowLife | undefined> {
  for (;;) {
    if (running.size < processes) return undefined;
    const [first] = running;
    const owner = processes === 1 ? first : deaths.owner();
    if (owner !== undefined && running.has(owner)) return owner;
    await sleep(LOOK_MS);
  }
}

/** Waits until a life has said so many lines; `false` when it ended before. */
async function hasPrinted({ program }: WorkflowLife, count: number): Promise<boolean> {
  await Promise.race([program.printed(count).catch(() => undefined), program.ended]);
  return program.lines.length >= count;
}

function add(
  sums: RecordTotals & { rounds: number; kills: number; effects: number; repeated: number },
  more: RecordTotals,
): void {
  sums.rounds += 1;
  sums.kills += more.kills;
  sums.effects += more.effects;
  sums.repeated += more.repeated;
}
