import { describeRegressions } from "../../contract/regressions.contract.ts";
import { describeResultBackendContract } from "../../contract/result-backend/index.ts";
import { describeRevokeStoreContract } from "../../contract/revoke-store/index.ts";
import { openSqliteBrokers } from "../sqlite/open-sqlite.ts";
import { openSqliteResultBackends, openSqliteRevokeStores } from "../sqlite/open-sqlite-results.ts";
import { inMemoryOfSqlJs, onFilesOfSqlJs } from "./open-sqljs.ts";

for (const [name, place] of [
  ["in memory", inMemoryOfSqlJs],
  ["on files", onFilesOfSqlJs],
] as const) {
  describeResultBackendContract(`SqliteResultBackend in sql.js, ${name}`, openSqliteResultBackends(place));
  describeRevokeStoreContract(`SqliteRevokeStore in sql.js, ${name}`, openSqliteRevokeStores(place));
  describeRegressions(`sql.js, ${name}`, {
    brokers: openSqliteBrokers(place),
    resultBackends: openSqliteResultBackends(place),
    revokeStores: openSqliteRevokeStores(place),
  });
}
