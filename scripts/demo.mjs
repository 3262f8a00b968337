// Builds, then runs the demo on the built package, with this command's own arguments.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./steps.mjs";

const DEMO = "dist/playground/demo/demo.js";

const built = await run(process.execPath, ["scripts/build.mjs"]);
if (built === 0 && !existsSync(join(root, DEMO))) throw new Error(`${DEMO} is missing after the build.`);
process.exitCode = built === 0 ? await run(process.execPath, [DEMO, ...process.argv.slice(2)]) : built;
