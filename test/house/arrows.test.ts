import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTempDirectory } from "../support/temp-directory.ts";
import { compile, type Finding, lint, writeProjectCopy } from "./project-copy.ts";

/** Files that imports of the fixtures point to, so that the linter and the compiler can resolve them. */
const TARGETS: Readonly<Record<string, string>> = {
  "src/errors.ts": "export const broken = 1;\n",
  "src/index.ts": 'export { value } from "./core/value.ts";\n',
  "src/core/value.ts": "export const value = 1;\nexport type Value = number;\n",
  "src/contracts/port.ts": "export interface Port {\n  readonly name: string;\n}\n",
  "src/ports/clock.ts": "export const clock = 1;\n",
  "src/runtime/worker.ts": "export const worker = 1;\n",
  "src/workflow/pass.ts": "export const pass = 1;\n",
  "src/testing/fake.ts": "export const fake = 1;\n",
  "adapters/memory/index.ts": "export const memory = 1;\n",
  "adapters/sqlite/broker.ts": "export const broker = 1;\n",
  "adapters/sqlite/sql/jobs.ts": "export const jobs = 1;\n",
  "adapters/sqlite/database/vfs.ts": "export const vfs = 1;\n",
  "adapters/sqljs/index.ts": "export const sqlJs = 1;\n",
  "adapters/storage/node.ts": "export const storage = 1;\n",
  "adapters/storage/peer-inbox.ts": "export const inbox = 1;\n",
  "adapters/storage/web/opfs.ts": "export const opfs = 1;\n",
  "adapters/entry/node.ts": "export const entry = 1;\n",
};

const RUNTIME = "runtime/worker.ts";
const PORT = "contracts/port.ts";
const VALUE = "core/value.ts";
const CLOCK = "ports/clock.ts";

/** What each room may not import, relative to the file that tries. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  "src/core": [
    `../${PORT}`,
    `../${CLOCK}`,
    `../${RUNTIME}`,
    "../testing/fake.ts",
    "../index.ts",
    "../../adapters/memory/index.ts",
    "node:fs",
    "fast-check",
    "./../contracts/port.ts",
  ],
  "src/contracts": [
    "../errors.ts",
    `../${CLOCK}`,
    `../${RUNTIME}`,
    "../testing/fake.ts",
    "../../adapters/memory/index.ts",
    "node:fs",
  ],
  "src/ports": [
    `../${RUNTIME}`,
    "../workflow/pass.ts",
    "../testing/fake.ts",
    "../../adapters/storage/node.ts",
    "node:fs",
  ],
  "src/workflow": ["../testing/fake.ts", "../index.ts", "../../adapters/memory/index.ts", "node:fs"],
  "src/runtime": [
    "../testing/fake.ts",
    "../workflow/pass.ts",
    "../index.ts",
    "../../adapters/sqlite/broker.ts",
    "node:fs",
    "fast-check",
  ],
  "src/testing": [`../${CLOCK}`, "../index.ts", "../../adapters/memory/index.ts", "node:fs"],
  src: ["../adapters/memory/index.ts", "node:fs"],
  "adapters/memory": [
    `../../src/${RUNTIME}`,
    "../../src/index.ts",
    "../../src/testing/fake.ts",
    "../sqlite/broker.ts",
    "../storage/node.ts",
    "../entry/node.ts",
    "node:fs",
    "fast-check",
  ],
  "adapters/sqlite": [
    `../../src/${RUNTIME}`,
    "../../src/index.ts",
    "../memory/index.ts",
    "../sqljs/index.ts",
    "../storage/node.ts",
    "../entry/node.ts",
    "node:fs",
    "fast-check",
  ],
  "adapters/sqlite/database": [
    `../../../src/${RUNTIME}`,
    "../../memory/index.ts",
    "../../storage/node.ts",
    "../../entry/node.ts",
    "node:fs",
    "@sqlite.org/sqlite-wasm",
  ],
  "adapters/sqljs": [
    `../../src/${RUNTIME}`,
    `../../src/${CLOCK}`,
    "../sqlite/broker.ts",
    "../sqlite/sql/jobs.ts",
    "../storage/node.ts",
    "../entry/node.ts",
    "node:fs",
    "sql.js",
  ],
  "adapters/storage": [
    `../../src/${RUNTIME}`,
    `../../src/${CLOCK}`,
    "../sqlite/broker.ts",
    "../memory/index.ts",
    "../entry/node.ts",
    "fast-check",
  ],
  "adapters/storage/web": [
    `../../../src/${RUNTIME}`,
    `../../../src/${CLOCK}`,
    "../node.ts",
    "../../sqlite/broker.ts",
    "../../memory/index.ts",
    "../../entry/node.ts",
    "node:fs",
    "fast-check",
  ],
  "adapters/entry": ["fast-check"],
  playground: ["../src/core/value.ts", "../adapters/memory/index.ts", "../dist/src/index.js"],
  "playground/examples": ["../../src/index.ts", "../../adapters/entry/node.ts"],
};

/** What each room may import: shows that a finding above is an arrow, and not a wall around everything. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "src/core": ["./value.ts", "../errors.ts"],
  "src/contracts": ["./port.ts", `../${VALUE}`],
  "src/ports": ["./clock.ts", `../${PORT}`, `../${VALUE}`, "../errors.ts"],
  "src/runtime": ["./worker.ts", `../${PORT}`, `../${VALUE}`, `../${CLOCK}`, "../errors.ts"],
  "src/workflow": ["./pass.ts", `../${PORT}`, `../${VALUE}`, `../${CLOCK}`, `../${RUNTIME}`, "../errors.ts"],
  "src/testing": ["./fake.ts", `../${PORT}`, `../${VALUE}`, `../${RUNTIME}`, "../errors.ts"],
  "adapters/memory": [
    "./index.ts",
    `../../src/${PORT}`,
    `../../src/${VALUE}`,
    `../../src/${CLOCK}`,
    "../../src/errors.ts",
  ],
  "adapters/sqlite": ["./broker.ts", "./sql/jobs.ts", `../../src/${PORT}`, `../../src/${CLOCK}`, "../../src/errors.ts"],
  "adapters/sqlite/database": [
    "../broker.ts",
    "../sql/jobs.ts",
    `../../../src/${PORT}`,
    `../../../src/${CLOCK}`,
    "../../../src/errors.ts",
  ],
  "adapters/sqljs": [
    "./index.ts",
    "../sqlite/database/vfs.ts",
    `../../src/${PORT}`,
    `../../src/${VALUE}`,
    "../../src/errors.ts",
  ],
  "adapters/storage": [
    "./node.ts",
    `../../src/${PORT}`,
    `../../src/${VALUE}`,
    "../../src/errors.ts",
    "node:fs",
    "node:fs/promises",
  ],
  "adapters/storage/web": [
    "./opfs.ts",
    "../peer-inbox.ts",
    `../../../src/${PORT}`,
    `../../../src/${VALUE}`,
    "../../../src/errors.ts",
  ],
  "adapters/entry": [
    "./node.ts",
    "../sqlite/broker.ts",
    "../storage/node.ts",
    "../memory/index.ts",
    "../../src/index.ts",
    "node:fs",
  ],
  playground: ["stem-sqlite", "stem-sqlite/storage/node", "node:fs"],
  test: [`../src/${RUNTIME}`, "../adapters/sqlite/broker.ts", "node:fs", "fast-check"],
};

const LONG_FUNCTION = `export function long(): number[] {\n  return [\n${"    1,\n".repeat(71)}  ];\n}\n`;

/** Rules beside the arrows: file, source, the rule that has to find it. */
const RULES: readonly (readonly [file: string, source: string, rule: string])[] = [
  [
    "src/core/cycle-a.ts",
    'import { b } from "./cycle-b.ts";\n\nexport const a = (): number => b();\n',
    "import(no-cycle)",
  ],
  [
    "src/core/cycle-b.ts",
    'import { a } from "./cycle-a.ts";\n\nexport const b = (): number => a();\n',
    "import(no-cycle)",
  ],
  ["src/core/default.ts", "export default function named(): void {}\n", "import(no-default-export)"],
  ["src/core/CamelCase.ts", "export const x = 1;\n", "unicorn(filename-case)"],
  [
    "src/core/floating.ts",
    "export function f(p: Promise<void>): void {\n  p;\n}\n",
    "typescript(no-floating-promises)",
  ],
  ["test/floating.ts", "async function f(): Promise<void> {}\nf();\n", "typescript(no-floating-promises)"],
  ["src/core/long-file.ts", "export const x = 1;\n".replace("1", `[\n${"  1,\n".repeat(400)}]`), "eslint(max-lines)"],
  ["adapters/sqlite/long-function.ts", LONG_FUNCTION, "eslint(max-lines-per-function)"],
  ["src/core/any.ts", "export const x: any = 1;\n", "typescript(no-explicit-any)"],
  ["src/core/underscore.ts", "export const x = { _y: 1 };\nexport const z = x._y;\n", "eslint(no-underscore-dangle)"],
  ["adapters/memory/marker.ts", "// TO\u0044O: later\nexport const x = 1;\n", "eslint(no-warning-comments)"],
  ["src/runtime/console.ts", "export const x = (): void => console.log(1);\n", "eslint(no-console)"],
  ["src/core/now.ts", "export const x = (): number => Date.now();\n", "eslint(no-restricted-properties)"],
  ["adapters/sqlite/random.ts", "export const x = (): number => Math.random();\n", "eslint(no-restricted-properties)"],
  [
    "adapters/storage/uuid.ts",
    "export const x = (): string => crypto.randomUUID();\n",
    "eslint(no-restricted-properties)",
  ],
  ["src/runtime/timeout.ts", "setTimeout(() => undefined, 1);\n", "eslint(no-restricted-globals)"],
  ["adapters/entry/interval.ts", "setInterval(() => undefined, 1);\n", "eslint(no-restricted-globals)"],
  ["adapters/memory/global.ts", "globalThis.setTimeout(() => undefined, 1);\n", "eslint(no-restricted-globals)"],
  ["src/core/performance.ts", "export const x = (): number => performance.now();\n", "eslint(no-restricted-globals)"],
];

/** The machine may be asked for the time and the console in these rooms. */
const EXEMPT: Readonly<Record<string, string>> = {
  "src/ports/system.ts":
    "export const x = (): number => {\n  console.warn(1);\n  setTimeout(() => undefined, 1);\n  return Date.now() + performance.now() + Math.random();\n};\n",
  "vitest.config.ts": "export default {};\n",
};

/** What only the compiler finds: file, source, the code of its error. */
const COMPILER: readonly (readonly [file: string, source: string, code: string])[] = [
  ["src/core/reads-files.ts", 'export { readFileSync } from "node:fs";\n', "TS2591"],
  ["src/core/touches-page.ts", "export const x: unknown = document;\n", "TS2584"],
  ["src/core/uses-buffer.ts", "export const x: unknown = Buffer;\n", "TS2591"],
  ["src/core/reaches-out.ts", 'export { memory } from "../../adapters/memory/index.ts";\n', "TS6307"],
  ["src/core/lists.ts", "export enum Colour {\n  Red,\n}\n", "TS1294"],
  ["adapters/sqlite/reads-files.ts", 'export { readFileSync } from "node:fs";\n', "TS2591"],
  ["adapters/sqlite/reaches-out.ts", 'export { storage } from "../storage/node.ts";\n', "TS6307"],
  ["adapters/storage/web/reads-files.ts", 'export { readFileSync } from "node:fs";\n', "TS2591"],
  ["adapters/storage/web/uses-buffer.ts", "export const x: unknown = Buffer;\n", "TS2591"],
  ["adapters/storage/web/reaches-out.ts", 'export { entry } from "../../entry/node.ts";\n', "TS6307"],
];

const importOf = (target: string): string => `export * from "${target}";\n`;
const cases = (table: Readonly<Record<string, readonly string[]>>, kind: string) =>
  Object.entries(table).flatMap(([room, targets]) =>
    targets.map((target, index) => ({ room, target, file: `${room}/${kind}-${index}.ts` })),
  );

const forbidden = cases(FORBIDDEN, "forbidden");
const allowed = cases(ALLOWED, "allowed");

describe("the linter", () => {
  const directory = makeTempDirectory();
  let findings: readonly Finding[] = [];
  const codesOf = (file: string) => findings.filter((finding) => finding.file === file).map(({ code }) => code);

  beforeAll(() => {
    writeProjectCopy(directory.path, {
      ...TARGETS,
      ...Object.fromEntries([...forbidden, ...allowed].map(({ file, target }) => [file, importOf(target)])),
      ...Object.fromEntries(RULES.map(([file, source]) => [file, source])),
      ...EXEMPT,
    });
    findings = lint(directory.path);
  });
  afterAll(() => directory.remove());

  it.each(forbidden)("refuses $target in $room", ({ file }) => {
    expect(codesOf(file)).toContain("eslint(no-restricted-imports)");
    const help = findings.find((found) => found.file === file && found.code === "eslint(no-restricted-imports)")?.help;
    expect(help, "the message says what the room may import").toMatch(/\w+ .*\.$/);
  });

  it.each(allowed)("accepts $target in $room", ({ file }) => {
    expect(codesOf(file)).toEqual([]);
  });

  it.each(RULES.map(([file, , rule]) => ({ file, rule })))("finds $rule in $file", ({ file, rule }) => {
    expect(codesOf(file)).toContain(rule);
  });

  it.each(Object.keys(EXEMPT))("accepts the platform in %s", (file) => {
    expect(codesOf(file)).toEqual([]);
  });
});

describe("the compiler", () => {
  const directory = makeTempDirectory();
  let errors: readonly string[] = [];

  beforeAll(() => {
    writeProjectCopy(directory.path, {
      ...TARGETS,
      ...Object.fromEntries(COMPILER.map(([file, source]) => [file, source])),
    });
    errors = ["src", "adapters/sqlite", "adapters/storage/web"].flatMap((project) => compile(directory.path, project));
  });
  afterAll(() => directory.remove());

  it.each(COMPILER.map(([file, , code]) => ({ file, code })))("refuses $file with $code", ({ file, code }) => {
    expect(errors.filter((line) => line.startsWith(`${file}(`)).join("\n")).toContain(`error ${code}`);
  });
});
