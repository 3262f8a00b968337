import { describe } from "vitest";
import { describePrune, describeRevokeWatch } from "./prune-and-watch.contract.ts";
import type { OpenRevokeStoreFixture } from "./revoke-store-bench.ts";
import { describeUpsert } from "./upsert.contract.ts";

export type { OpenRevokeStoreFixture, RevokeStoreFixture } from "./revoke-store-bench.ts";

/** Everything a revoke store has to do. `open` makes an empty fixture for each test. */
export function describeRevokeStoreContract(name: string, open: OpenRevokeStoreFixture): void {
  describe(`${name} as a revoke store`, () => {
    describeUpsert(open);
    describePrune(open);
    describeRevokeWatch(open);
  });
}
