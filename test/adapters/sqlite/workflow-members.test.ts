import { describeWorkflowStoreContract } from "../../contract/workflow-store/index.ts";
import { asMember, inMemory, onFiles } from "./open-sqlite.ts";
import { openDispatchingWorkflowStores, openSqliteWorkflowStores } from "./open-sqlite-workflows.ts";

// Everything holds for members of an owner in another context, over each kind of channel.
describeWorkflowStoreContract(
  "SqliteWorkflowStore as a member in memory",
  openDispatchingWorkflowStores(asMember(inMemory)),
);
describeWorkflowStoreContract(
  "SqliteWorkflowStore as a member over a socket",
  openSqliteWorkflowStores(asMember(onFiles)),
);
