import type { Parameters as Settings } from "fast-check";

/**
 * Settings of a property: `STEM_SEED` and `STEM_PATH` replay a failure, `STEM_RUNS` changes the number of runs. A
 * failure's message ends with the command that replays it.
 */
export function replayable<T>(file: string, runs: number): Settings<T> {
  const { STEM_SEED: seed, STEM_PATH: path, STEM_RUNS: asked } = process.env;
  return {
    numRuns: Number(asked ?? runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
    reporter(details) {
      if (!details.failed) return;
      throw new Error(
        `Counterexample after ${details.numRuns} runs: ${String(JSON.stringify(details.counterexample, showOdd))}\n` +
          `Replay: STEM_SEED=${details.seed} STEM_PATH=${details.counterexamplePath} npx vitest run ${file}`,
        { cause: details.errorInstance },
      );
    },
  };
}

function showOdd(_key: string, value: unknown): unknown {
  return value === undefined || typeof value === "bigint" || Number.isNaN(value) ? `(${String(value)})` : value;
}
