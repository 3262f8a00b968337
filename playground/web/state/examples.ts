import { signal } from "@preact/signals";
import type { Example } from "../../examples/example.ts";
import { describeError } from "./notices.ts";

/** One numbered program, as the list shows it. */
export interface ListedExample {
  readonly name: string;
  /** Its first comment. */
  readonly explanation: string;
  readonly source: string;
  /** Why it cannot run in a page. */
  readonly nodeOnly?: string;
  readonly load?: () => Promise<Example>;
}

/** What a run printed so far. */
export interface ExampleRun {
  readonly lines: readonly string[];
  readonly state: "running" | "as expected" | "not as expected" | "failed";
}

const NODE_ONLY: Readonly<Record<string, string>> = {
  "11-isolated-task": "needs threads of Node; a page has no isolated tasks",
};

const modules = import.meta.glob<Example>(["../../examples/[0-9][0-9]-*.ts", "!**/11-isolated-task.ts"]);
const sources = import.meta.glob<string>("../../examples/[0-9][0-9]-*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

export const EXAMPLES: readonly ListedExample[] = Object.entries(sources).map(([path, source]) => {
  const name = path.replace(/^.*\/|\.ts$/g, "");
  const explanation = /^\/\/ (.*(?:\n\/\/ .*)*)/.exec(source)?.[1]?.replaceAll("\n// ", " ") ?? "";
  const load = modules[path];
  const nodeOnly = NODE_ONLY[name];
  return { name, explanation, source, ...(load && { load }), ...(nodeOnly !== undefined && { nodeOnly }) };
});

export const exampleRuns = signal<ReadonlyMap<string, ExampleRun>>(new Map());

/** Runs it on files of its own, and compares what it prints with what it says it prints. */
export async function runExample({ name, load }: ListedExample): Promise<void> {
  const run = crypto.randomUUID().slice(0, 8);
  const lines: string[] = [];
  const show = (state: ExampleRun["state"]): void => {
    exampleRuns.value = new Map(exampleRuns.value).set(name, { lines: [...lines], state });
  };
  show("running");
  const log = (value: unknown): void => {
    lines.push(String(value));
    show("running");
  };
  try {
    if (load === undefined) throw new Error("It does not run in a page.");
    const example = await load();
    await example.run({ file: (file) => `examples/${run}-${file}`, log });
    const isExpected = JSON.stringify(lines) === JSON.stringify(example.expected);
    show(isExpected ? "as expected" : "not as expected");
  } catch (error) {
    lines.push(describeError(error));
    show("failed");
  }
}
