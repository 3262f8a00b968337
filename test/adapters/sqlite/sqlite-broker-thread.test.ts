import { describeBrokerContract } from "../../contract/broker/index.ts";
import { inThread, openSqliteBrokers } from "./open-sqlite.ts";

describeBrokerContract("SqliteBroker in a thread", openSqliteBrokers(inThread));
