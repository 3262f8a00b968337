import { describeCrashMatrix } from "../support/crash-check-suite.ts";

// A crash inside any change of a run leaves all of it, its continuation with it, or nothing.
describeCrashMatrix("test/reliability/crash-matrix-workflows.test.ts", [
  { seed: 1, turns: 60, reopenEvery: 20, about: "workflows", engine: { walAutocheckpoint: 6 } },
  { seed: 2, turns: 60, about: "workflows", engine: { walAutocheckpoint: 1_000 } },
]);
