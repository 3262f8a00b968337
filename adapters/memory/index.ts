export { InMemoryBroker } from "./in-memory-broker.ts";
export { type InMemoryBrokerOptions, resolveInMemoryBrokerOptions } from "./in-memory-broker-options.ts";
export { type InMemoryBrokerStore, inMemoryBrokerStore } from "./in-memory-broker-store.ts";
export { InMemoryResultBackend } from "./in-memory-result-backend.ts";
export {
  type InMemoryResultBackendOptions,
  resolveInMemoryResultBackendOptions,
} from "./in-memory-result-backend-options.ts";
export { type InMemoryResultStore, inMemoryResultStore } from "./in-memory-result-store.ts";
export { type InMemoryRevokeEntries, inMemoryRevokeEntries } from "./in-memory-revoke-entries.ts";
export { InMemoryRevokeStore } from "./in-memory-revoke-store.ts";
export {
  type InMemoryRevokeStoreOptions,
  resolveInMemoryRevokeStoreOptions,
} from "./in-memory-revoke-store-options.ts";
export { type InMemoryWorkflowData, inMemoryWorkflowData } from "./in-memory-workflow-data.ts";
export { InMemoryWorkflowStore } from "./in-memory-workflow-store.ts";
export {
  type InMemoryWorkflowStoreOptions,
  resolveInMemoryWorkflowStoreOptions,
} from "./in-memory-workflow-store-options.ts";
