// The package under test, by its name and through its exports, as its users import it. This folder has a package.json
// of its own, so the name is resolved from the package's folder.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../package.json", import.meta.url));

export const { createEnvelope, defineTask, silentLogger, SqliteBroker, SqliteResultBackend, Stem, Worker } =
  await import(pathToFileURL(require.resolve("stem-sqlite")).href);
