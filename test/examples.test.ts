import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Example } from "../playground/examples/example.ts";
import { useTempDirectory } from "./support/temp-directory.ts";

const ROOT = resolve(import.meta.dirname, "..");
const SOURCES = join(ROOT, "playground/examples");
const NAMES = readdirSync(SOURCES)
  .filter((name) => /^\d\d-.*\.ts$/.test(name))
  .map((name) => name.replace(/\.ts$/, ""));

/** Examples run as users run them: compiled, and importing the package by name. */
async function loadExample(name: string): Promise<Example> {
  const built = pathToFileURL(join(ROOT, "dist/playground/examples", `${name}.js`)).href;
  return (await import(/* @vite-ignore */ built)) as Example;
}

/** The program in an example: without its frame, and with the README's names of files and of the output. */
function programOf(source: string): string {
  const [, program = ""] = /^(?:\/\/.*\n)*([\s\S]*?)\nexport const expected/.exec(source) ?? [];
  return program
    .replace(/^import type \{ ExampleContext \}.*\n/m, "")
    .replace(/^export async function run\(.*\n/m, "")
    .replace(/\n\}\n/, "\n")
    .replace(/^ {2}/gm, "")
    .replace(/file\(("[^"]*")\)/g, "$1")
    .replace(/\blog\(/g, "console.log(")
    .trim();
}

function firstProgramOf(markdown: string): string {
  return /```ts\n([\s\S]*?)```/.exec(markdown)?.[1]?.trim() ?? "";
}

describe("examples", () => {
  it.each(NAMES)("%s prints what it says it prints", async (name) => {
    const folder = useTempDirectory();
    const lines: string[] = [];
    const { run, expected } = await loadExample(name);
    await run({ file: (file) => join(folder, file), log: (value) => void lines.push(String(value)) });
    expect(lines).toEqual(expected);
  });

  it("are numbered without gaps", () => {
    expect(NAMES.map((name) => Number(name.slice(0, 2)))).toEqual(NAMES.map((_name, index) => index + 1));
  });

  it("of a test with Node's own runner passes", async () => {
    const file = join(ROOT, "dist/playground/examples/testing/with-node-test.js");
    // Inside of a test, Node's runner would report to the one around it.
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap", file], { env });
    expect(stdout).toMatch(/^# pass 2$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  it("begin with the README's first program", () => {
    const readme = firstProgramOf(readFileSync(join(ROOT, "README.md"), "utf8"));
    const example = programOf(readFileSync(join(SOURCES, "01-enqueue-and-wait.ts"), "utf8"));
    expect(readme).toBe(example);
  });
});
