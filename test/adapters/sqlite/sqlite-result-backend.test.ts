import { describeResultBackendContract } from "../../contract/result-backend/index.ts";
import { inMemory, onFiles } from "./open-sqlite.ts";
import { openSqliteResultBackends } from "./open-sqlite-results.ts";

describeResultBackendContract("SqliteResultBackend in memory", openSqliteResultBackends(inMemory));
describeResultBackendContract("SqliteResultBackend on files", openSqliteResultBackends(onFiles));
