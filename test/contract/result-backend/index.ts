import { describe } from "vitest";
import { describeGroups } from "./groups.contract.ts";
import { describeBackendClose, describeHeartbeats } from "./heartbeats-and-close.contract.ts";
import { describeList } from "./list.contract.ts";
import type { OpenResultBackendFixture } from "./result-backend-bench.ts";
import { describeStatusRules } from "./status-rules.contract.ts";
import { describeStatus } from "./status.contract.ts";
import { describeTtl } from "./ttl.contract.ts";
import { describeWatch } from "./watch.contract.ts";

export type { OpenResultBackendFixture, ResultBackendFixture } from "./result-backend-bench.ts";

/** Everything a result backend has to do. `open` makes an empty fixture for each test. */
export function describeResultBackendContract(name: string, open: OpenResultBackendFixture): void {
  describe(`${name} as a result backend`, () => {
    describeStatus(open);
    describeStatusRules(open);
    describeTtl(open);
    describeWatch(open);
    describeList(open);
    describeGroups(open);
    describeHeartbeats(open);
    describeBackendClose(open);
  });
}
