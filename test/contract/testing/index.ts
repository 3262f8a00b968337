import { describe } from "vitest";
import { describeDraining } from "./draining.contract.ts";
import { describeEndings } from "./endings.contract.ts";
import { closingAfterEach, type OpenTestQueue } from "./support.ts";

/** What a queue under test promises, whatever its stores and wherever it runs. */
export function describeTestQueueContract(name: string, openTestQueue: OpenTestQueue): void {
  describe(name, () => {
    const open = closingAfterEach(openTestQueue);
    describeDraining(open);
    describeEndings(open);
  });
}
