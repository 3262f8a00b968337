import type { Randomness } from "../contracts/identity.ts";

/** The platform's cryptographic source for bytes; `Math.random` for jitter, where quality does not matter. */
export const systemRandomness: Randomness = {
  number: () => Math.random(),
  fill(into) {
    crypto.getRandomValues(into);
  },
};
