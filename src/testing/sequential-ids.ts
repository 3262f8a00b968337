import type { IdSource } from "../contracts/identity.ts";

/** Makes `prefix-1`, `prefix-2`, ...: ids that a test can predict. */
export function createSequentialIds(prefix = "task"): IdSource {
  let last = 0;
  return () => {
    last += 1;
    return `${prefix}-${last}`;
  };
}
