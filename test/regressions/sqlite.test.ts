import { openSqliteResultBackends, openSqliteRevokeStores } from "../adapters/sqlite/open-sqlite-results.ts";
import { inMemory, onFiles, openSqliteBrokers, type SqlitePlace } from "../adapters/sqlite/open-sqlite.ts";
import { describeRegressions } from "../contract/regressions.contract.ts";

function fixtures(place: () => SqlitePlace): Parameters<typeof describeRegressions>[1] {
  return {
    brokers: openSqliteBrokers(place),
    resultBackends: openSqliteResultBackends(place),
    revokeStores: openSqliteRevokeStores(place),
  };
}

describeRegressions("SQLite in memory", fixtures(inMemory));
describeRegressions("SQLite on files", fixtures(onFiles));
