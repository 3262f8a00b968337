// What a page loads, in bytes: its own JavaScript as a bundler leaves it, the worker's, the engine. Needs a build.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./steps.mjs";

const PACKAGE = join(root, "dist/package");
/** What such a page takes from the package. */
const PAGES = {
  enqueues: ["defineTask", "SqliteBroker", "Stem"],
  works: ["defineTask", "SqliteBroker", "SqliteResultBackend", "Stem", "Worker"],
};

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
const file = (name) => readFileSync(join(PACKAGE, name));

/** The JavaScript that is loaded with a page which takes these names, in bytes; not what it would load later. */
export async function measurePage(names) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export { ${names.join(", ")} } from "./browser.js";`, resolveDir: PACKAGE },
    ...{ bundle: true, splitting: true, minify: true, write: false, metafile: true, format: "esm" },
    outdir: PACKAGE,
    legalComments: "none",
    logLevel: "error",
  });
  const outputs = Object.entries(metafile.outputs);
  const loaded = new Set(outputs.filter(([, { entryPoint }]) => entryPoint === "<stdin>").map(([path]) => path));
  for (const path of loaded) {
    for (const { path: imported, kind } of metafile.outputs[path].imports) {
      if (kind === "import-statement") loaded.add(imported);
    }
  }
  const isLoaded = (path) => [...loaded].some((one) => path.endsWith(one));
  const modules = outputFiles.filter(({ path }) => isLoaded(path));
  return modules.reduce((sum, { contents }) => sum + gzip(contents), 0);
}

/** Bytes with `gzip -9`, each file by itself, as servers send them. */
export async function measureSizes() {
  const sizes = {
    engine: gzip(file("sqlite3.wasm")),
    worker: gzip(file("browser-engine-thread.js")),
    inline: gzip(file("inline.js")),
  };
  for (const [name, names] of Object.entries(PAGES)) sizes[name] = await measurePage(names);
  return sizes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { engine, worker, inline, ...pages } = await measureSizes();
  console.log(`engine ${engine}, worker ${worker}, one file with everything ${inline}`);
  for (const [name, page] of Object.entries(pages)) {
    console.log(`a page that ${name}: ${page}, with worker and engine ${page + worker + engine}`);
  }
}
