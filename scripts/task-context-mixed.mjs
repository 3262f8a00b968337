// Builds, then runs a program of playground/examples/task-context-mixed in this very process: signals are its own.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root, run } from "./steps.mjs";

const [program] = process.argv.splice(2, 1);
if (program !== "worker" && program !== "enqueue") throw new Error("Say which program: worker or enqueue.");

const built = await run(process.execPath, ["scripts/build.mjs"]);
const file = join(root, "dist/playground/examples/task-context-mixed", `${program}.js`);
if (built === 0 && !existsSync(file)) throw new Error(`${file} is missing after the build.`);
if (built === 0) await import(pathToFileURL(file).href);
else process.exitCode = built;
