import { describe } from "vitest";
import { describeAck } from "./ack.contract.ts";
import { describeBroadcast } from "./broadcast.contract.ts";
import type { OpenBrokerFixture } from "./broker-bench.ts";
import { describeClose } from "./close.contract.ts";
import { describeConsumer } from "./consumer.contract.ts";
import { describeDeadLetter } from "./dead-letter.contract.ts";
import { describeDelay } from "./delay.contract.ts";
import { describeDuplicateId } from "./duplicate-id.contract.ts";
import { describeFencing } from "./fencing.contract.ts";
import { describeHandles } from "./handles.contract.ts";
import { describeInspection } from "./inspection.contract.ts";
import { describeLease } from "./lease.contract.ts";
import { describeNack } from "./nack.contract.ts";
import { describeNamespaces } from "./namespaces.contract.ts";
import { describePrefetch } from "./prefetch.contract.ts";
import { describePriority } from "./priority.contract.ts";
import { describePublish } from "./publish.contract.ts";
import { describePurgeAndCounts } from "./purge-and-counts.contract.ts";
import { describeReplay } from "./replay.contract.ts";
import { describeRetry } from "./retry.contract.ts";

export type { BrokerFixture, OpenBrokerFixture } from "./broker-bench.ts";

/** Everything a broker has to do. `open` makes an empty fixture for each test. */
export function describeBrokerContract(name: string, open: OpenBrokerFixture): void {
  describe(`${name} as a broker`, () => {
    describePublish(open);
    describeDuplicateId(open);
    describeConsumer(open);
    describeAck(open);
    describeNack(open);
    describeRetry(open);
    describeLease(open);
    describeFencing(open);
    describePrefetch(open);
    describeDelay(open);
    describePriority(open);
    describeDeadLetter(open);
    describeReplay(open);
    describeBroadcast(open);
    describePurgeAndCounts(open);
    describeInspection(open);
    describeNamespaces(open);
    describeHandles(open);
    describeClose(open);
  });
}
