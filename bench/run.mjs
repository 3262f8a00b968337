// Benchmarks of stem-sqlite beside its nearest peer. `npm run bench -- --help` says what it can do.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildPackage, installPeers } from "./lib/install.mjs";
import { describeMachine, probeDisk } from "./lib/machine.mjs";
import { formatTable } from "./lib/table.mjs";

const HELP = `Usage: npm run bench -- [options]

  --quick              small sizes, one round; about a minute, for a first look
  --case <name>        only this case, or this group of cases (processes, processes-work); may be repeated
  --contender <name>   only this contender; may be repeated
  --rounds <n>         rounds per case (5; some cases have fewer)
  --json <file>        also write everything that was measured
  --profile <case>     CPU profiles of this case for one contender (stem-full), the top 25 functions of each thread
  --directory <path>   where stores are made: must be on a disk, or FULL means nothing (bench/.stores)
  --no-build           measure what is built already
  --list               names of cases and contenders`;

const OPTIONS = {
  quick: { type: "boolean", default: false },
  case: { type: "string", multiple: true, default: [] },
  contender: { type: "string", multiple: true, default: [] },
  rounds: { type: "string" },
  json: { type: "string" },
  profile: { type: "string" },
  directory: { type: "string", default: fileURLToPath(new URL("./.stores", import.meta.url)) },
  "no-build": { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/** Those of `all` that are asked for, by their names or that of their group; all of them when nothing is. */
function select(all, wanted, kind) {
  const unknown = wanted.filter((name) => all.every((one) => one.name !== name && one.group !== name));
  if (unknown.length > 0) throw new Error(`No ${kind} is called ${unknown.join(", ")}; see --list.`);
  return wanted.length === 0 ? all : all.filter(({ name, group }) => wanted.includes(name) || wanted.includes(group));
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
  else process.stderr.write(`${text}\n`);
}

async function measure(chosen, names, options) {
  const { runCase } = await import("./lib/rounds.mjs");
  const { rowsOf } = await import("./lib/rows.mjs");
  const rows = [];
  const failures = [];
  for (const benchCase of chosen) {
    const own = names.filter((name) => benchCase.contenders.includes(name));
    if (own.length === 0) continue;
    const rounds = options.rounds ?? (options.size === "quick" ? 1 : Math.min(benchCase.rounds ?? 5, 5));
    try {
      rows.push(...rowsOf(benchCase, await runCase(benchCase, own, { ...options, rounds, onProgress: progress })));
    } catch (error) {
      failures.push(`${benchCase.name}: ${error.message}`);
    }
  }
  progress("");
  return { rows, failures };
}

async function profile(benchCase, name, { size, root }) {
  const { runChild, withDirectory } = await import("./lib/run-child.mjs");
  const { profileEnvironment, summariseAll } = await import("./lib/profile.mjs");
  const directory = fileURLToPath(new URL(`./profiles/${benchCase.name}-${name}`, import.meta.url));
  await rm(directory, { recursive: true, force: true });
  const env = await profileEnvironment(directory);
  const result = await withDirectory(root, async (store) => {
    const step = { caseName: benchCase.name, contenderName: name, directory: store, size };
    if (benchCase.prepare !== undefined) await runChild({ ...step, step: "prepare" });
    return runChild({ ...step, step: "run", env });
  });
  console.log(`${benchCase.name}, ${name}: ${JSON.stringify(result)}\nProfiles are in ${directory}\n`);
  console.log(await summariseAll(directory));
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(HELP);
  installPeers();
  if (!values["no-build"]) buildPackage();
  const { cases } = await import("./cases/index.mjs");
  const { contenders } = await import("./contenders/index.mjs");
  if (values.list) {
    console.log(`cases: ${cases.map(({ name }) => name).join(", ")}`);
    return console.log(`contenders: ${contenders.map(({ name }) => name).join(", ")}`);
  }
  const size = values.quick ? "quick" : "full";
  await mkdir(values.directory, { recursive: true });
  const options = {
    size,
    root: values.directory,
    rounds: values.rounds === undefined ? undefined : Number(values.rounds),
  };
  const names = select(contenders, values.contender, "contender").map(({ name }) => name);
  if (values.profile !== undefined) {
    const [benchCase] = select(cases, [values.profile], "case");
    return profile(benchCase, values.contender[0] ?? "stem-full", options);
  }
  const chosen = select(cases, values.case, "case").filter(
    (one) => !(values.quick && one.skipWhenQuick) || values.case.includes(one.name),
  );
  const machine = describeMachine();
  const diskBefore = probeDisk(values.directory);
  const { rows, failures } = await measure(chosen, names, options);
  const disk = { before: diskBefore, after: probeDisk(values.directory) };
  await rm(join(values.directory, "probe"), { force: true });
  const { node, system, cpu, cores } = machine;
  console.log(
    `Node ${node}, ${system}, ${cores} x ${cpu}; one 4 kB append with flush: ` +
      `${disk.before.p50.toFixed(2)} ms before, ${disk.after.p50.toFixed(2)} ms after (p50).\n`,
  );
  console.log(formatTable(rows));
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify({ machine, disk, size, rows, failures }, null, 2)}\n`);
  }
  for (const failure of failures) console.error(`FAILED ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

await main();
