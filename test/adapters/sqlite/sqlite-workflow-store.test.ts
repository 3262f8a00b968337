import { describeWorkflowStoreContract } from "../../contract/workflow-store/index.ts";
import { inMemory, onFiles } from "./open-sqlite.ts";
import { openDispatchingWorkflowStores, openSqliteWorkflowStores } from "./open-sqlite-workflows.ts";

describeWorkflowStoreContract("SqliteWorkflowStore in memory", openSqliteWorkflowStores(inMemory));
describeWorkflowStoreContract("SqliteWorkflowStore on files", openSqliteWorkflowStores(onFiles));
describeWorkflowStoreContract("SqliteWorkflowStore beside its broker", openDispatchingWorkflowStores(inMemory));
