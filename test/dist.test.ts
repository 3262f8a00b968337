import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTempDirectory } from "./support/temp-directory.ts";

const ROOT = resolve(import.meta.dirname, "..");
const TSC = join(ROOT, "node_modules/.bin/tsc");
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  exports: Record<string, unknown>;
  bin: Record<string, string>;
};
const CODE_ENTRIES = Object.keys(manifest.exports).filter((entry) => !/\.json$|\.wasm$|-thread\.js$/.test(entry));

/** What a user's program does with the package; also the program whose types are checked. */
const PROGRAM = `
import { createEnvelope, SqliteBroker, type Delivery } from "stem-sqlite";
import { InMemoryBroker } from "stem-sqlite/memory";
import { memoryStorage } from "stem-sqlite/storage/memory";
import { nodeStorage } from "stem-sqlite/storage/node";
import { FakeClock, openTestQueue, type TestQueue } from "stem-sqlite/testing";

export const drivers: readonly string[] = [memoryStorage().name, nodeStorage().name];
export const clock = new FakeClock();
export const queue = (): Promise<TestQueue> => openTestQueue({ tasks: [] });
export const Brokers = [InMemoryBroker, SqliteBroker] as const;
export async function main(file: string): Promise<string | undefined> {
  await using broker = await SqliteBroker.open(file);
  await broker.publish(createEnvelope({ name: "greet", args: { who: "world" } }));
  for await (const delivery of broker.consume({ queues: ["default"] })) {
    const received: Delivery = delivery;
    await broker.ack(received);
    return received.envelope.name;
  }
  return undefined;
}
`;

const RUN = `
import { SqliteBroker, createEnvelope } from "stem-sqlite";
const broker = await SqliteBroker.open(process.argv[2]);
await broker.publish(createEnvelope({ name: "greet", args: { who: "world" } }));
const count = await broker.pendingCount("default");
await broker.close();
console.log("pending", count);
`;

const directory = makeTempDirectory();
const consumer = join(directory.path, "consumer");
const installed = join(consumer, "node_modules/stem-sqlite");
let packed: readonly string[] = [];
let installOutput = "";

function npm(cwd: string, ...args: readonly string[]): { stdout: string; stderr: string } {
  const cache = join(directory.path, "cache");
  const options = { cwd, encoding: "utf8", shell: process.platform === "win32" } as const;
  const { status, stdout, stderr } = spawnSync("npm", [...args, "--cache", cache, "--loglevel", "warn"], options);
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return { stdout, stderr };
}

/** Runs a module in the consumer's folder and returns what it prints. */
function runModule(source: string, ...args: readonly string[]): string {
  writeFileSync(join(consumer, "run.mjs"), source);
  return execFileSync(process.execPath, ["run.mjs", ...args], { cwd: consumer, encoding: "utf8" }).trim();
}

/** Type-checks `PROGRAM` and the package's own declarations, without the package's sources at hand. */
function checkTypes(name: string, options: Readonly<Record<string, unknown>>): string {
  const project = join(consumer, name);
  const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, target: "ES2022", ...options };
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "program.ts"), PROGRAM);
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  return spawnSync(TSC, ["-p", project, "--pretty", "false"], { cwd: consumer, encoding: "utf8" }).stdout;
}

beforeAll(() => {
  // The build has been made before the tests: packing must not start another one.
  const report = npm(ROOT, "pack", "--json", "--ignore-scripts", "--pack-destination", directory.path).stdout;
  const [tarball] = JSON.parse(report) as [{ filename: string; files: { path: string }[] }];
  packed = tarball.files.map(({ path }) => path);
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const archive = join(directory.path, tarball.filename);
  const { stdout, stderr } = npm(consumer, "install", archive, "--offline", "--engine-strict", "--no-audit");
  installOutput = stdout + stderr;
});
afterAll(() => directory.remove());

describe("the packed files", () => {
  it("are the bundled library, its types, its papers and nothing else", () => {
    const others = packed.filter(
      (path) =>
        !/^dist\/package\/[\w.-]+\.(?:js|wasm)$/.test(path) && !/^dist\/(?:src|adapters)\/.+\.d\.ts$/.test(path),
    );
    expect(others.toSorted()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  });

  it("have types of sources that are still there", () => {
    const types = packed.filter((path) => path.endsWith(".d.ts"));
    const orphans = types.filter(
      (path) => !existsSync(join(ROOT, path.replace(/^dist\//, "").replace(/\.d\.ts$/, ".ts"))),
    );
    expect(orphans).toEqual([]);
    expect(types.length).toBeGreaterThan(100);
  });

  it("hold every module that another one imports or refers to by URL", () => {
    const modules = packed.filter((path) => path.startsWith("dist/package/") && path.endsWith(".js"));
    const targets = modules.flatMap((path) => {
      const text = readFileSync(join(installed, path), "utf8");
      const imports = /(?:\bfrom|\bimport\()\s*"(\.\/[\w.-]+)"|new URL\("(\.\/[\w.-]+)",\s*import\.meta\.url\)/g;
      return [...text.matchAll(imports)].map(([, imported, url]) => `dist/package/${(imported ?? url ?? "").slice(2)}`);
    });
    // An error shows how such an address is written.
    const missing = targets.filter((target) => !packed.includes(target) && target !== "dist/package/work.js");
    expect(missing).toEqual([]);
    for (const name of [
      "node-engine-thread.js",
      "node-isolate-thread.js",
      "browser-engine-thread.js",
      "sqlite3.wasm",
    ]) {
      expect(targets).toContain(`dist/package/${name}`);
    }
  });

  it("hold nothing that is loaded by nobody", () => {
    const modules = packed.filter((path) => path.startsWith("dist/package/"));
    const texts = modules
      .filter((path) => path.endsWith(".js"))
      .map((path) => readFileSync(join(installed, path), "utf8"));
    const entries = JSON.stringify([manifest.exports, manifest.bin]);
    const unused = modules.filter(
      (path) => !entries.includes(path) && !texts.some((text) => text.includes(basename(path))),
    );
    expect(unused).toEqual([]);
  });

  it("hold the worker for browsers as one file, which bundlers may copy anywhere", () => {
    const text = readFileSync(join(installed, "dist/package/browser-engine-thread.js"), "utf8");
    expect(/(?:^|[;}\n])import\b\s*["{*\w]|\bimport\s*\(|\}\s*from\s*"|import\.meta/.exec(text)).toBeNull();
  });
});

describe("the installed package", () => {
  it("brings no other package and no warning about the runtime", () => {
    const folders = readdirSync(join(consumer, "node_modules")).filter((name) => !name.startsWith("."));
    expect(folders).toEqual(["stem-sqlite"]);
    expect(installOutput).not.toMatch(/warn|EBADENGINE/i);
  });

  it.each(CODE_ENTRIES)("can be imported at %s", (entry) => {
    const name = entry.replace(/^\./, "stem-sqlite");
    const count = runModule(`console.log(Object.keys(await import("${name}")).length);`);
    expect(Number(count)).toBeGreaterThan(0);
  });

  it("exports the same names whatever the runtime", () => {
    const door = "./node_modules/stem-sqlite/dist/package";
    const [node, ...others] = ["node", "browser", "default", "inline"].map((name) =>
      runModule(`console.log(Object.keys(await import("${door}/${name}.js")).join());`),
    );
    expect(others).toEqual([node, node, node]);
    expect(node?.split(",")).toEqual(expect.arrayContaining(["Stem", "SqliteBroker", "InMemoryBroker", "StemError"]));
  });

  it("has the same helpers for tests whatever the runtime, which need no other import", () => {
    const door = "./node_modules/stem-sqlite/dist/package/testing";
    const [node, browser, other] = ["node", "browser", "default"].map((name) =>
      runModule(`console.log(Object.keys(await import("${door}-${name}.js")).join());`),
    );
    expect([browser, other]).toEqual([node, node]);
    const source = `
      import { openTestQueue } from "stem-sqlite/testing";
      const queue = await openTestQueue({ tasks: [] });
      console.log((await queue.drain()).succeeded);
    `;
    expect(runModule(source)).toBe("0");
  });

  it("keeps its inner modules to itself", () => {
    const source = `await import("stem-sqlite/dist/src/index.js").catch((error) => console.log(error.code));`;
    expect(runModule(source)).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  it("imports without starting anything", () => {
    expect(runModule(`import "stem-sqlite"; console.log("ended");`)).toBe("ended");
  });

  it("runs a queue in memory and in a file", () => {
    expect(runModule(RUN, ":memory:")).toBe("pending 1");
    expect(runModule(RUN, join(directory.path, "queue.sqlite"))).toBe("pending 1");
    expect(runModule(RUN, join(directory.path, "queue.sqlite"))).toBe("pending 2");
  });
});

describe("the types", () => {
  it("compile for Node", () => {
    expect(
      checkTypes("node", {
        module: "NodeNext",
        lib: ["ES2022", "ESNext.Disposable"],
        types: ["node"],
        typeRoots: [join(ROOT, "node_modules/@types")],
      }),
    ).toBe("");
  });

  it("compile for a bundler, without Node's types", () => {
    expect(
      checkTypes("bundler", {
        module: "ESNext",
        moduleResolution: "Bundler",
        lib: ["ES2022", "ESNext.Disposable", "DOM"],
        types: [],
      }),
    ).toBe("");
  });
});
