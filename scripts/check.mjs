// Everything that is checked without running the library. Runs all steps, then says which of them failed.
import { run, tool } from "./steps.mjs";

const steps = [
  ["types", process.execPath, ["scripts/build.mjs"]],
  ["lint", tool("oxlint"), ["--deny-warnings"]],
  ["format", tool("oxfmt"), ["--check"]],
  ["unused code", tool("knip"), []],
  ["package", tool("publint"), ["--strict"]],
  ["package types", tool("attw"), ["--pack", ".", "--profile", "esm-only"]],
];

const failed = [];
for (const [name, command, args] of steps) {
  console.log(`\n== ${name}`);
  if ((await run(command, args)) !== 0) failed.push(name);
}
if (failed.length === 0) console.log("\nAll checks passed.");
else console.log("\nFailed:", failed.join(", "));
process.exitCode = failed.length === 0 ? 0 : 1;
