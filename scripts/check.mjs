// Everything that is checked without running the library. Runs all steps, then says which of them failed.
import { run, tool } from "./steps.mjs";

/** The engine has no types, and nobody imports it as a module. */
const ESM_ONLY = ["--profile", "esm-only", "--exclude-entrypoints", "sqlite3.wasm"];

const steps = [
  { name: "types", command: process.execPath, args: ["scripts/build.mjs"] },
  { name: "lint", command: tool("oxlint"), args: ["--deny-warnings"] },
  { name: "format", command: tool("oxfmt"), args: ["--check"] },
  { name: "unused code", command: tool("knip"), args: [] },
  { name: "package", command: tool("publint"), args: ["--strict"] },
  { name: "package types", command: tool("attw"), args: ["--pack", ".", ...ESM_ONLY] },
];

const failed = [];
for (const { name, command, args } of steps) {
  console.log(`\n== ${name}`);
  if ((await run(command, args)) !== 0) failed.push(name);
}
if (failed.length === 0) console.log("\nAll checks passed.");
else console.log("\nFailed:", failed.join(", "));
process.exitCode = failed.length === 0 ? 0 : 1;
