import { describe, expect, it } from "vitest";
import { createSeededRandomness } from "../../src/testing/index.ts";
import type { Death } from "../support/mortal-stores.ts";
import { inMemoryPlace, type OpenPlace, runInLives, type Scenario, sqlitePlace } from "../support/workflow-lives.ts";
import { exampleScenarios, trickyScenarios } from "../support/workflow-scenarios.ts";

const SEED = Number(process.env["STEM_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const RANDOM_RUNS = Number(process.env["STEM_CRASH_RUNS"] ?? 15);
const MOMENTS: readonly Death["moment"][] = ["before", "after"];

const SCENARIOS: readonly (readonly [string, Scenario])[] = Object.entries({
  ...(await exampleScenarios()),
  ...trickyScenarios,
});
const PLACES: readonly (readonly [string, OpenPlace])[] = [
  ["in memory", inMemoryPlace],
  ["in one file", sqlitePlace("one")],
];

describe.each(PLACES)("A workflow %s comes to the same end", (_place, open) => {
  it.each(SCENARIOS)("whatever call is the last of its process: %s", async (name, scenario) => {
    const expected = await runInLives(scenario, open, []);
    expect(expected.problems).toEqual([]);
    let points = 0;
    for (const moment of MOMENTS) {
      for (let at = 1, isOver = false; !isOver; at += 1) {
        const found = await runInLives(scenario, open, [{ at, moment }]);
        check(expected, found, `${moment} call ${at}`);
        isOver = found.calls.length === 1;
        if (!isOver) points += 1;
      }
    }
    console.log(`${name}: ${points} crash points`);
    expect(points).toBeGreaterThan(5);
  });
});

describe.each([...PLACES, ["in three files", sqlitePlace("three")]] as const)(
  "A workflow %s comes to the same end",
  (_place, open) => {
    it.each(SCENARIOS)("however often and whenever its processes end: %s", async (_name, scenario) => {
      console.log(
        `Replay: STEM_SEED=${SEED} npx vitest run --project reliability test/reliability/workflow-crash.test.ts`,
      );
      const random = createSeededRandomness(SEED);
      const expected = await runInLives(scenario, open, []);
      const most = Math.max(...expected.calls);
      for (let round = 0; round < RANDOM_RUNS; round += 1) {
        const deaths = Array.from({ length: 2 + (round % 2) }, (): Death => {
          const moment = random.number() < 0.5 ? "before" : "after";
          return { at: 1 + Math.floor(random.number() * most), moment };
        });
        check(expected, await runInLives(scenario, open, deaths), JSON.stringify(deaths));
      }
    });
  },
);

type Report = Awaited<ReturnType<typeof runInLives>>;

function check(expected: Report, found: Report, where: string): void {
  const gist = ({ status, result, error, steps, tasks, problems }: Report): object => ({
    where,
    status,
    result,
    error,
    steps: steps.toSorted(),
    undone: steps.filter((step) => step.includes("/compensation")),
    tasks: [...tasks.keys()].toSorted(),
    problems,
  });
  expect(gist(found)).toEqual(gist(expected));
}
