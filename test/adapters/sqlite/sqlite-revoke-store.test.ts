import { describeRevokeStoreContract } from "../../contract/revoke-store/index.ts";
import { inMemory, onFiles } from "./open-sqlite.ts";
import { openSqliteRevokeStores } from "./open-sqlite-results.ts";

describeRevokeStoreContract("SqliteRevokeStore in memory", openSqliteRevokeStores(inMemory));
describeRevokeStoreContract("SqliteRevokeStore on files", openSqliteRevokeStores(onFiles));
