import { describeCrashMatrix } from "../support/crash-check-suite.ts";

// Two files, so that two cores share the images.
describeCrashMatrix("test/reliability/crash-matrix-two.test.ts", [
  { seed: 11, turns: 50, reopenEvery: 25, engine: { walAutocheckpoint: 6 } },
  { seed: 12, turns: 40, reopenEvery: 12, engine: { walAutocheckpoint: 1_000 } },
  { seed: 13, turns: 50, engine: { walAutocheckpoint: 25 } },
]);
