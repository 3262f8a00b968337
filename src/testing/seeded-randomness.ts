import type { Randomness } from "../contracts/identity.ts";

/** Randomness that repeats: the same seed gives the same numbers and bytes. Fit for tests only. */
export function createSeededRandomness(seed = 1): Randomness {
  let state = seed >>> 0;
  // Mulberry32: a counter and three multiplications.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    number: next,
    fill(into) {
      for (let index = 0; index < into.length; index += 1) into[index] = Math.floor(next() * 256);
    },
  };
}
