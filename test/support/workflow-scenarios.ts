import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { defineTask } from "../../src/runtime/define-task.ts";
import type { WorkflowAppOptions } from "../../src/workflow/workflow-app.ts";
import { WorkflowScript } from "../../src/workflow/workflow-script.ts";
import { EXAMPLE_RUNS } from "./workflow-examples.ts";
import { RUN_ID, type Scenario } from "./workflow-lives.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../dist/playground/examples");

type Program = (note: (line: unknown) => void) => WorkflowAppOptions;

async function load(name: string): Promise<Program> {
  const module: unknown = await import(/* @vite-ignore */ pathToFileURL(join(EXAMPLES, `${name}.js`)).href);
  return (module as { readonly program: Program }).program;
}

/** The workflows of the examples. */
export async function exampleScenarios(): Promise<Readonly<Record<string, Scenario>>> {
  const scenarios = Object.entries(EXAMPLE_RUNS).map(async ([name, { events = [], ...rest }]) => {
    const sent = events.map(({ topic, payload }) => ({ topic: topic(RUN_ID), payload: payload as never }));
    return [name, { ...rest, program: await load(name), ...(sent.length === 0 ? {} : { events: sent }) }] as const;
  });
  return Object.fromEntries(await Promise.all(scenarios));
}

/** What the examples leave out, all in one run. */
export const trickyScenarios: Readonly<Record<string, Scenario>> = {
  "everything at once": {
    workflow: "tricky",
    events: ["one", "two"].map((payload) => ({ topic: "tick", payload: payload as never })),
    program(note) {
      const child = new WorkflowScript<number, { n: number }>({
        name: "tricky-child",
        async run(s) {
          await s.sleep(1_000);
          return s.step("double", () => s.params.n * 2);
        },
      });
      const tricky = new WorkflowScript({
        name: "tricky",
        async run(s) {
          const isNew = await s.patched("new-way");
          const lanes = await Promise.all([
            s.step("enqueue", (context) => context.enqueue("tricky.note")),
            s.step("flaky", ({ attempt }) => {
              if (attempt < 2) throw new Error("not yet");
              return attempt;
            }),
            s.step("napping", async (context) => {
              await context.sleep(1_000);
              await context.sleep(1_000);
              return "awake";
            }),
            s.child("child", child, { n: 21 }),
            s.sleep(5_000).then(() => s.step("late", () => "late")),
          ]);
          const ticks = [await s.waitForEvent("tick"), await s.waitForEvent("tick")];
          return { isNew, lanes, ticks };
        },
      });
      const task = defineTask("tricky.note", () => note("task"));
      return { workflows: [tricky, child], tasks: [task] };
    },
  },
  "undoing in lanes": {
    workflow: "undoing",
    program(note) {
      const undo = (name: string) => async (context: { sleep(ms: number): Promise<unknown> }) => {
        if (name === "two") await context.sleep(1_000);
        note(`undo ${name}`);
      };
      const undoing = new WorkflowScript({
        name: "undoing",
        async run(s) {
          await s.step("one", () => 1, { compensate: undo("one") });
          await s.step("two", () => 2, { compensate: undo("two") });
          await Promise.all([
            s.sleep(86_400_000),
            s
              .step("three", () => 3, { compensate: undo("three") })
              .then(() =>
                s.step(
                  "four",
                  () => {
                    throw new Error("no");
                  },
                  { retryPolicy: { maxRetries: 1, defaultDelay: 1_000 } },
                ),
              ),
          ]);
        },
      });
      return { workflows: [undoing] };
    },
  },
};
