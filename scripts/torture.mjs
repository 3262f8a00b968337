// Builds, then runs the torture tests of several processes in the size the arguments ask for. Words choose test files:
// `npm run torture -- --seconds 600 --processes 8 processes`, `npm run torture -- --failover 50 failover`. The tabs of a
// browser are tortured when asked for: `npm run torture -- tabs --events 2000 --seed 7`, and
// `npm run torture -- tab-failover --failover 25`.
import { parseArgs } from "node:util";
import { root, run, tool } from "./steps.mjs";

const FILES = ["processes", "failover", "new-database", "silent-owner", "workflows"];
const TAB_FILES = ["tabs", "tab-failover"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string" },
    processes: { type: "string" },
    seed: { type: "string" },
    failover: { type: "string" },
    rounds: { type: "string" },
    events: { type: "string" },
  },
});
const VARIABLES = {
  seconds: "STEM_TORTURE_SECONDS",
  processes: "STEM_TORTURE_PROCESSES",
  seed: "STEM_TORTURE_SEED",
  failover: "STEM_TORTURE_FAILOVERS",
  rounds: "STEM_TORTURE_ROUNDS",
  events: "STEM_TORTURE_EVENTS",
};
for (const [option, variable] of Object.entries(VARIABLES)) {
  if (values[option] === undefined) continue;
  if (!/^\d+$/.test(values[option])) throw new Error(`--${option} must be a whole number.`);
  process.env[variable] = values[option];
}
const known = [...FILES, ...TAB_FILES];
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`There is no ${unknown.join(", ")}; there are ${known.join(", ")}.`);
// `--failover 50` alone means that test.
const chosen = positionals.length > 0 ? positionals : values.failover !== undefined ? ["failover"] : FILES;
const built = await run(process.execPath, [`${root}scripts/build.mjs`]);
const files = chosen.map((name) => `${TAB_FILES.includes(name) ? "e2e" : "test"}/torture/${name}.test.ts`);
process.exitCode = built === 0 ? await run(tool("vitest"), ["run", "--no-file-parallelism", ...files]) : built;
