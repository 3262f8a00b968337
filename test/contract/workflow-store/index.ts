import { describe } from "vitest";
import { describeBadInput } from "./bad-input.contract.ts";
import { describeCancel } from "./cancel.contract.ts";
import { describeChildrenAndTasks } from "./children-and-tasks.contract.ts";
import { describeClaims } from "./claims.contract.ts";
import { describeCreate } from "./create.contract.ts";
import { describeEnds } from "./ends.contract.ts";
import { describeEvents } from "./events.contract.ts";
import { describeFencing } from "./fencing.contract.ts";
import { describeHandlesAndNamespaces } from "./handles.contract.ts";
import { describeLists } from "./lists.contract.ts";
import { describeRecovery } from "./recovery.contract.ts";
import { describeRewindAndResume } from "./rewind.contract.ts";
import { describeSteps } from "./steps.contract.ts";
import { describeSuspend } from "./suspend.contract.ts";
import { describeWorkflowWatch } from "./watch.contract.ts";
import type { OpenWorkflowStoreFixture } from "./workflow-store-bench.ts";

export type { OpenWorkflowStoreFixture, WorkflowStoreFixture } from "./workflow-store-bench.ts";

/** Everything a workflow store has to do. `open` makes an empty fixture for each test. */
export function describeWorkflowStoreContract(name: string, open: OpenWorkflowStoreFixture): void {
  describe(`${name} as a workflow store`, () => {
    describeCreate(open);
    describeSteps(open);
    describeClaims(open);
    describeFencing(open);
    describeSuspend(open);
    describeEvents(open);
    describeChildrenAndTasks(open);
    describeEnds(open);
    describeCancel(open);
    describeRewindAndResume(open);
    describeRecovery(open);
    describeLists(open);
    describeWorkflowWatch(open);
    describeHandlesAndNamespaces(open);
    describeBadInput(open);
  });
}
