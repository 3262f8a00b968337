import { extname, sep } from "node:path";

const NAME = "task_context_mixed";

/** Where the two databases are. Both programs have to find the same ones. */
export interface DatabasePaths {
  readonly broker: string;
  readonly backend: string;
}

/**
 * Takes each file's own variable when one of the two is set, else the prefix in `STEM_SQLITE_PATH`: a folder when it
 * ends with a separator, and without its extension when it has one.
 */
export function resolveDatabasePaths(environment: Readonly<NodeJS.ProcessEnv> = process.env): DatabasePaths {
  const broker = environment["STEM_SQLITE_BROKER_PATH"]?.trim();
  const backend = environment["STEM_SQLITE_BACKEND_PATH"]?.trim();
  const named = filesWith(NAME);
  if (broker || backend) return { broker: broker || named.broker, backend: backend || named.backend };
  return filesWith(prefixOf(environment["STEM_SQLITE_PATH"] || NAME));
}

function prefixOf(path: string): string {
  if (path.endsWith(sep) || path.endsWith("/")) return `${path}${NAME}`;
  return path.slice(0, path.length - extname(path).length);
}

function filesWith(prefix: string): DatabasePaths {
  return { broker: `${prefix}_broker.sqlite`, backend: `${prefix}_backend.sqlite` };
}
