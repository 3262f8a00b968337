import { describe } from "vitest";
import type { OpenBrokerFixture } from "./broker/index.ts";
import { describeDeliveryRegressions } from "./regressions/delivery.contract.ts";
import { describeQueueRegressions } from "./regressions/queue.contract.ts";
import { describeResultRegressions } from "./regressions/result.contract.ts";
import type { OpenResultBackendFixture } from "./result-backend/index.ts";
import type { OpenRevokeStoreFixture } from "./revoke-store/index.ts";

/** What the regressions run on: three kinds of store of one technology. */
export interface RegressionFixtures {
  readonly brokers: OpenBrokerFixture;
  readonly resultBackends: OpenResultBackendFixture;
  readonly revokeStores: OpenRevokeStoreFixture;
}

/** Defects of Stem, each under its number, that an adapter must not have. */
export function describeRegressions(name: string, open: RegressionFixtures): void {
  describe(`${name}: defects of Stem that must not come back`, () => {
    describeDeliveryRegressions(open.brokers);
    describeQueueRegressions(open.brokers);
    describeResultRegressions(open);
  });
}
