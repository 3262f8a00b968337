// Builds, runs the tests, and ends with one line of counts read from the runners' own reports.
// Arguments go to Vitest: `npm test -- test/contract`.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findBrowser, HOW_TO_GET_A_BROWSER } from "./find-browser.mjs";
import { root, run, tool } from "./steps.mjs";

const RUNNERS = [
  {
    command: tool("vitest"),
    args: ["run", "--reporter=default", "--reporter=json", "--outputFile.json=.test-results/vitest.json"],
    report: ".test-results/vitest.json",
  },
];

/** Counts tests; a file that could not be run to its tests counts as one failure, so that it cannot hide. */
function count(reportPath) {
  if (!existsSync(reportPath)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(reportPath, "utf8"));
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

const total = { passed: 0, failed: 0, skipped: 0 };
let code = await run(process.execPath, ["scripts/build.mjs"]);
if (code === 0) {
  for (const { command, args, report } of RUNNERS) {
    const reportPath = join(root, report);
    rmSync(reportPath, { force: true });
    code = (await run(command, [...args, ...process.argv.slice(2)])) || code;
    const counts = count(reportPath);
    for (const name of Object.keys(total)) total[name] += counts[name];
  }
}

if (total.passed + total.failed === 0) console.log("\nNo test was run.");
if (findBrowser() === undefined) {
  console.log(
    `\nNo browser was found, so the tests of test/browser were skipped. Get one with ${HOW_TO_GET_A_BROWSER}.`,
  );
}
// The build, or an error outside of every test: it counts, too.
if (total.failed === 0 && (code !== 0 || total.passed === 0)) total.failed = 1;
if (total.failed > 0) code ||= 1;
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = code;
