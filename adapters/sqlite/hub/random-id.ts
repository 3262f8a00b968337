import type { Randomness } from "../../../src/contracts/identity.ts";

/** Sixteen hexadecimal digits that nobody else has: the name of a session, or of an owner. */
export function randomId(randomness: Randomness): string {
  const bytes = new Uint8Array(8);
  randomness.fill(bytes);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
