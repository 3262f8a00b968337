// What every entry of the package exports, whatever the runtime.
export * from "../../src/index.ts";
export { InMemoryBroker, InMemoryResultBackend, InMemoryRevokeStore, InMemoryWorkflowStore } from "../memory/index.ts";
export type { ConnectionOptions } from "../sqlite/connection-options.ts";
export type { Durability } from "../sqlite/durability.ts";
export { importDatabase } from "../sqlite/import-database.ts";
export type { ImportDatabaseOptions } from "../sqlite/import-database.ts";
export { SqliteBroker } from "../sqlite/sqlite-broker.ts";
export type { SqliteBrokerOptions } from "../sqlite/sqlite-broker-options.ts";
export { SqliteDatabase } from "../sqlite/sqlite-database.ts";
export type { QueryOptions, QueryResult, SqliteDatabaseOptions } from "../sqlite/sqlite-database.ts";
export { SqliteResultBackend } from "../sqlite/sqlite-result-backend.ts";
export type { SqliteResultBackendOptions } from "../sqlite/sqlite-result-backend-options.ts";
export { SqliteRevokeStore } from "../sqlite/sqlite-revoke-store.ts";
export type { SqliteRevokeStoreOptions } from "../sqlite/sqlite-revoke-store-options.ts";
export { StemWorkflowApp, type StemWorkflowAppOptions, type StoreOverrides } from "./stem-workflow-app.ts";
export { SqliteWorkflowStore } from "../sqlite/sqlite-workflow-store.ts";
export type { SqliteWorkflowStoreOptions } from "../sqlite/sqlite-workflow-store-options.ts";
