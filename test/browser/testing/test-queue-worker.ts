import { openTestQueue } from "../../../adapters/entry/testing-browser.ts";
import { describeTestQueueContract } from "../../contract/testing/index.ts";
import { serveSuite } from "../support/worker-suite.ts";

for (const store of ["sqlite", "memory"] as const) {
  describeTestQueueContract(`a queue under test in a browser, ${store}`, (options) =>
    openTestQueue({ store, ...options }),
  );
}

serveSuite();
