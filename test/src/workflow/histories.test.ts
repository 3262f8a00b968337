import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { replayHistory, type ReplayEnd, type RunHistory } from "../../../src/workflow/replay-history.ts";
import { WorkflowScript } from "../../../src/workflow/workflow-script.ts";
import { inMemoryPlace, recordHistory, type Scenario } from "../../support/workflow-lives.ts";
import { exampleScenarios, trickyScenarios } from "../../support/workflow-scenarios.ts";

/** Made by `npm run record-histories`, in the shape of a run's detail with how it ended. */
const FOLDER = resolve(import.meta.dirname, "../../fixtures/workflow-histories");
const SCENARIOS: Readonly<Record<string, Scenario>> = { ...(await exampleScenarios()), ...trickyScenarios };

type Recorded = RunHistory & { readonly end: ReplayEnd };

const fileOf = (name: string): string => join(FOLDER, `${name.replaceAll(" ", "-")}.json`);
const read = (name: string): Recorded => JSON.parse(readFileSync(fileOf(name), "utf8")) as Recorded;

if (process.env["STEM_RECORD"] === "1") {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    writeFileSync(fileOf(name), `${JSON.stringify(await recordHistory(scenario, inMemoryPlace), null, 2)}\n`);
  }
}

describe("The present code", () => {
  it("has a history for each scenario, and none for others", () => {
    expect(existsSync(FOLDER) ? readdirSync(FOLDER).toSorted() : []).toEqual(
      Object.keys(SCENARIOS)
        .map((name) => `${name.replaceAll(" ", "-")}.json`)
        .toSorted(),
    );
  });

  it.each(Object.entries(SCENARIOS))(
    "comes through what was recorded of %s, to the same end",
    async (name, scenario) => {
      const { end, ...history } = read(name);
      const workflow = workflowOf(scenario);
      const found = await replayHistory(workflow, history);
      expect(gist(found)).toEqual(gist(end));
    },
  );

  it.each(Object.entries(SCENARIOS))(
    "comes through any beginning of %s, and does nothing new",
    async (name, scenario) => {
      const { end: _, ...history } = read(name);
      for (let length = 0; length < history.steps.length; length += 1) {
        const found = await replayHistory(workflowOf(scenario), { ...history, steps: history.steps.slice(0, length) });
        expect(found.status === "failed" && found.error.type).not.toBe("NondeterminismError");
      }
    },
  );
});

describe("Code that was changed", () => {
  it("is found out, and does nothing new", async () => {
    const { end: _, ...history } = read("17-onboarding");
    let runs = 0;
    const changed = new WorkflowScript({
      name: "onboarding",
      async run(s) {
        await s.step("first", () => (runs += 1));
        await s.tasks("welcome", []);
      },
    });
    await expect(replayHistory(changed, history)).rejects.toMatchObject({
      code: "STEM_NONDETERMINISM",
      details: { step: "first", finding: expect.stringContaining('"welcome" (tasks) is recorded next') },
    });
    expect(runs).toBe(0);
  });

  it("is not compared with a history of something else", async () => {
    const { end: _, ...history } = read("17-onboarding");
    const other = new WorkflowScript({ name: "other", run: async () => 1 });
    await expect(replayHistory(other, history)).rejects.toMatchObject({ code: "STEM_INVALID_OPTION" });
  });

  it("is told from code that goes on after what is recorded", async () => {
    const { end: _, ...history } = read("17-onboarding");
    const waiting = await replayHistory(workflowOf(SCENARIOS["17-onboarding"] as Scenario), {
      ...history,
      steps: history.steps.filter(({ name }) => name === "welcome"),
    });
    expect(waiting).toEqual({ status: "suspended", waits: ["a-day"] });
  });
});

function workflowOf(scenario: Scenario) {
  const found = scenario
    .program(() => undefined)
    .workflows.find(({ definition }) => definition.name === scenario.workflow);
  if (found === undefined) throw new Error(`No workflow "${scenario.workflow}".`);
  return found;
}

/** Stacks name paths of the machine that recorded them. */
function gist(end: ReplayEnd): unknown {
  if (end.status !== "failed") return end;
  return { status: end.status, type: end.error.type, message: end.error.message };
}
