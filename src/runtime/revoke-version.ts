import type { Clock } from "../contracts/clock.ts";

let last = 0;

/** A version for a `RevokeEntry`: microseconds since the epoch, greater than all before it in this process. */
export function generateRevokeVersion(clock: Clock): number {
  last = Math.max(last + 1, Math.floor(clock.now()) * 1_000);
  return last;
}
