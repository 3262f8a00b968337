import { describeBrokerContract } from "../../contract/broker/index.ts";
import { describeResultBackendContract } from "../../contract/result-backend/index.ts";
import { describeRevokeStoreContract } from "../../contract/revoke-store/index.ts";
import { asMember, inMemory, onFiles, openSqliteBrokers } from "./open-sqlite.ts";
import { openSqliteResultBackends, openSqliteRevokeStores } from "./open-sqlite-results.ts";

// Everything the stores promise holds for a member of an owner in another context, over each kind of channel.
for (const [where, place] of [
  ["in memory", inMemory],
  ["over a socket", onFiles],
] as const) {
  describeBrokerContract(`SqliteBroker as a member ${where}`, openSqliteBrokers(asMember(place)));
  describeResultBackendContract(`SqliteResultBackend as a member ${where}`, openSqliteResultBackends(asMember(place)));
  describeRevokeStoreContract(`SqliteRevokeStore as a member ${where}`, openSqliteRevokeStores(asMember(place)));
}
