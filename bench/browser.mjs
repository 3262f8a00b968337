// Benchmarks of stem-sqlite in Chromium. `npm run bench:browser -- --help` says what it can do.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serveFiles } from "../scripts/serve-files.mjs";
import { measureFirstQueries, measureRounds, withBrowser } from "./lib/browser-rounds.mjs";
import { buildPackage } from "./lib/install.mjs";
import { describeMachine } from "./lib/machine.mjs";
import { formatTable } from "./lib/table.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HELP = `Usage: npm run bench:browser -- [options]

  --open              serve the page, print its address, and wait: measure by hand in a browser of your own
  --quick             small sizes, one round; a first look
  --rounds <n>        rounds (3)
  --case <name>       only this case; may be repeated
  --storage <name>    only opfs, or only indexeddb
  --durability <name> only full, or only relaxed
  --json <file>       also write everything that was measured
  --no-build          measure what is built already`;
const OPTIONS = {
  open: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  case: { type: "string", multiple: true, default: [] },
  storage: { type: "string" },
  durability: { type: "string" },
  json: { type: "string" },
  "no-build": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

function oneOf(wanted, all, what) {
  if (wanted === undefined) return all;
  if (!all.includes(wanted)) throw new Error(`No ${what} is called ${wanted}; there are ${all.join(", ")}.`);
  return [wanted];
}

const load = () => loadavg()[0].toFixed(1);

async function measure(url, values) {
  const storages = oneOf(values.storage, ["opfs", "indexeddb"], "storage");
  const durabilities = oneOf(values.durability, ["full", "relaxed"], "durability");
  const size = values.quick ? "quick" : "full";
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  const onProgress = (text) => process.stderr.write(`${text}\n`);
  const before = load();
  const { browser, rows } = await withBrowser(async (context) => ({
    browser: context.browser()?.version() ?? "",
    rows: await measureRounds(context, url, {
      ...{ storages, durabilities, size, rounds, onProgress },
      cases: values.case,
    }),
  }));
  const first = values.case.length > 0 ? [] : await measureFirstQueries(url, { storages, rounds, onProgress });
  const machine = { ...describeMachine(), browser, load: [before, load()] };
  const { system, cpu, cores } = machine;
  console.log(`Chromium ${browser}, ${system}, ${cores} x ${cpu}; load ${before} before, ${load()} after.\n`);
  console.log(formatTable([...first, ...rows]));
  if (values.json === undefined) return;
  await writeFile(values.json, `${JSON.stringify({ machine, size, rows: [...first, ...rows] }, null, 2)}\n`);
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(HELP);
  if (!values["no-build"]) buildPackage();
  const server = await serveFiles({ package: ROOT, bench: fileURLToPath(new URL("./browser", import.meta.url)) });
  const url = `${server.origin}/bench/index.html`;
  if (values.open) return console.log(`Open ${url} in a browser; Ctrl+C ends it.`);
  try {
    await measure(url, values);
  } finally {
    await server.close();
  }
}

await main();
