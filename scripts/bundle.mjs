// Makes dist/package, which is what users load, of the compiled modules: few files, all in one folder, so that what
// refers to a file beside it by `new URL("./name", import.meta.url)` is right from every one of them.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./steps.mjs";

const TARGET = join(root, "dist/package");
const COMPILED = join(root, "dist/adapters/entry");
const SHARED = { bundle: true, write: false, format: "esm", target: "es2022", legalComments: "none" };
/** Pages pay for every byte. Errors have their names as text, so names of classes are not needed. */
const WEB = { ...SHARED, platform: "neutral", external: ["node:*"], minify: true };
/** Programs do not, and get stack traces that can be read. */
const NODE = { ...SHARED, platform: "node" };

/** The compiled module of every entry in `exports`, by the name of the file that is loaded in its place. */
function entries() {
  const found = {};
  const visit = (conditions) => {
    const { types, ...places } = conditions;
    for (const target of Object.values(places)) {
      if (typeof target === "object") visit(target);
      else if (types !== undefined) found[basename(target, ".js")] = join(root, types.replace(/\.d\.ts$/, ".js"));
    }
  };
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  visit(Object.fromEntries(Object.entries(exports).filter(([, conditions]) => typeof conditions === "object")));
  return found;
}

/** What shares one thread is bundled together, so that a module exists once there; what runs alone is one file. */
async function outputs() {
  const { inline, "browser-engine-thread": thread, ...others } = entries();
  const isForNode = ([name]) => /\bnode\b/.test(name);
  const [node, web] = [Object.entries(others).filter(isForNode), Object.entries(others).filter((e) => !isForNode(e))];
  node.push(["cli", join(COMPILED, "cli.js")]);
  // A handler of an isolate imports the package, too.
  node.push(["node-isolate-thread", join(COMPILED, "node-isolate-thread.js")]);
  const engine = readFileSync(join(COMPILED, "sqlite3.wasm"));
  const alone = (options, name, entry, define = {}) =>
    build({ ...options, entryPoints: { [name]: entry }, outdir: TARGET, define });
  const together = (options, points) =>
    build({ ...options, entryPoints: Object.fromEntries(points), outdir: TARGET, splitting: true });
  const engineThread = await alone(WEB, "browser-engine-thread", thread);
  const parts = await Promise.all([
    together(NODE, node),
    together(WEB, web),
    alone(NODE, "node-engine-thread", join(COMPILED, "node-engine-thread.js")),
    alone(WEB, "inline", inline, {
      ENGINE_THREAD_SOURCE: JSON.stringify(engineThread.outputFiles[0].text),
      ENGINE_GZIP_BASE64: JSON.stringify(gzipSync(engine, { level: 9 }).toString("base64")),
    }),
  ]);
  const files = [engineThread, ...parts].flatMap(({ outputFiles }) => outputFiles);
  return [...files.map(({ path, contents }) => [basename(path), contents]), ["sqlite3.wasm", engine]];
}

/** Renaming is atomic: a program that starts meanwhile never reads half a file. */
function place(name, contents) {
  const path = join(TARGET, name);
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  writeFileSync(`${path}.${process.pid}`, contents);
  renameSync(`${path}.${process.pid}`, path);
}

/** For Vitest, which calls it before the tests. */
export const setup = () => bundle();

/** Writes dist/package; what is there already stays as it is, and what no longer belongs there goes. */
export async function bundle() {
  const files = await outputs();
  mkdirSync(TARGET, { recursive: true });
  // Entries last: what they import is there by then.
  for (const [name, contents] of files.toSorted(([a], [b]) => Number(isChunk(b)) - Number(isChunk(a)))) {
    place(name, contents);
  }
  const names = new Set(files.map(([name]) => name));
  for (const name of readdirSync(TARGET)) if (!names.has(name)) rmSync(join(TARGET, name), { recursive: true });
}

const isChunk = (name) => /-[0-9A-Z]{8}\.js$/.test(name);
