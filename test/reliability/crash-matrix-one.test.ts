import { describeCrashMatrix } from "../support/crash-check-suite.ts";

// Two files, so that two cores share the images.
describeCrashMatrix("test/reliability/crash-matrix-one.test.ts", [
  { seed: 1, turns: 50, reopenEvery: 25, engine: { walAutocheckpoint: 6 } },
  { seed: 2, turns: 40, reopenEvery: 12, engine: { walAutocheckpoint: 1_000 } },
  { seed: 3, turns: 50, engine: { walAutocheckpoint: 25 } },
]);
