// Builds what `npm pack` ships: compiles every project, drops outputs whose source is gone, puts the engine in place.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "./bundle.mjs";
import { root, run, tool } from "./steps.mjs";

const ROOMS = ["src", "adapters", "playground", "test", "e2e"];
const OUTPUT = /\.(?:js|d\.ts)(?:\.map)?$/;
const ENGINE = "node_modules/@sqlite.org/sqlite-wasm/dist/sqlite3.wasm";
const ENGINE_SHA256 = "b8a92a19f441a90ff2339fe988fbe317c4adf3ed844096f12aee04aa72d58257";
const ENGINE_TARGET = "dist/adapters/entry/sqlite3.wasm";

function filesBelow(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"));
}

/** Removes compiled files whose source was moved or deleted; the compiler leaves them, and they would be shipped. */
function removeStale() {
  for (const file of ROOMS.flatMap((room) => filesBelow(`dist/${room}`))) {
    if (!OUTPUT.test(file)) continue;
    const source = file.slice("dist/".length).replace(OUTPUT, ".ts");
    if (!existsSync(join(root, source))) rmSync(join(root, file), { force: true });
  }
}

/** The compiler trusts its records: when somebody deleted an output, it has to be told to write everything again. */
function outputIsMissing() {
  return ["src", "adapters"]
    .flatMap(filesBelow)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .some((file) => !existsSync(join(root, "dist", file.replace(/\.ts$/, ".js"))));
}

function placeEngine() {
  const bytes = readFileSync(join(root, ENGINE));
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== ENGINE_SHA256) throw new Error(`${ENGINE} is not the engine we tested: sha256 is ${found}.`);
  const target = join(root, ENGINE_TARGET);
  if (existsSync(target) && readFileSync(target).equals(bytes)) return;
  mkdirSync(join(target, ".."), { recursive: true });
  // Renaming is atomic: a program that starts during a build never reads half an engine.
  writeFileSync(`${target}.${process.pid}`, bytes);
  renameSync(`${target}.${process.pid}`, target);
}

removeStale();
placeEngine();
let code = await run(tool("tsc"), ["-b"]);
if (code === 0 && outputIsMissing()) code = await run(tool("tsc"), ["-b", "--force"]);
if (code === 0) await bundle();
process.exitCode = code;
