import {
  openInMemoryBrokers,
  openInMemoryResultBackends,
  openInMemoryRevokeStores,
} from "../adapters/memory/open-in-memory.ts";
import { describeRegressions } from "../contract/regressions.contract.ts";

describeRegressions("In memory", {
  brokers: openInMemoryBrokers,
  resultBackends: openInMemoryResultBackends,
  revokeStores: openInMemoryRevokeStores,
});
