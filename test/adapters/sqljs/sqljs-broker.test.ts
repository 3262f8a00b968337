import { describeBrokerContract } from "../../contract/broker/index.ts";
import { openSqliteBrokers } from "../sqlite/open-sqlite.ts";
import { inMemoryOfSqlJs, onFilesOfSqlJs } from "./open-sqljs.ts";

describeBrokerContract("SqliteBroker in sql.js, in memory", openSqliteBrokers(inMemoryOfSqlJs));
describeBrokerContract("SqliteBroker in sql.js, on files", openSqliteBrokers(onFilesOfSqlJs));
