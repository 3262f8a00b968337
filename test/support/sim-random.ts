/** A repeatable source of numbers in `[0, 1)`. */
export type SimRandom = () => number;

/** Gives the same numbers for the same seed, on every platform: a Weyl sequence through a 32-bit finaliser. */
export function createSimRandom(seed: number): SimRandom {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  };
}
