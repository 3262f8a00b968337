// The package under test, by its name and through its exports, as its users import it. This folder has a package.json
// of its own, so the name is resolved from the package's folder.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../package.json", import.meta.url));
const load = (specifier) => import(pathToFileURL(require.resolve(specifier)).href);

export const {
  createEnvelope,
  defineTask,
  Flow,
  silentLogger,
  SqliteBroker,
  SqliteResultBackend,
  SqliteWorkflowStore,
  Stem,
  Worker,
  WorkflowRuntime,
  WorkflowScript,
} = await load("stem-sqlite");

/** The driver for files, which only some cases need. */
export const loadNodeStorage = async () => (await load("stem-sqlite/storage/node")).nodeStorage;
