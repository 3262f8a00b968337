import { describeBrokerContract } from "../../contract/broker/index.ts";
import { inMemory, onFiles, openSqliteBrokers } from "./open-sqlite.ts";

describeBrokerContract("SqliteBroker in memory", openSqliteBrokers(inMemory));
describeBrokerContract("SqliteBroker on files", openSqliteBrokers(onFiles));
