// Builds, then records anew what the runs of test/support/workflow-scenarios.ts come to; see test/src/workflow/histories.test.ts.
import { root, run, tool } from "./steps.mjs";

process.env.STEM_RECORD = "1";
const built = await run(process.execPath, [`${root}scripts/build.mjs`]);
const files = ["--project", "node", "test/src/workflow/histories.test.ts"];
process.exitCode = built === 0 ? await run(tool("vitest"), ["run", ...files]) : built;
