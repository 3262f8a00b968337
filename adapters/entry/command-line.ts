import { existsSync } from "node:fs";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { StemError } from "../../src/errors.ts";
import { importDatabase, SqliteDatabase } from "./node.ts";

/** Where a command says what it has done, and why it has not. */
export interface CommandOutput {
  out(line: string): void;
  error(line: string): void;
}

const USAGE = `Usage:
  stem-sqlite export <file> <copy>   writes a copy of a database, which any SQLite program opens; others may use it meanwhile
  stem-sqlite import <copy> <file>   makes a database of a copy`;

/** Runs one command of the command line; resolves with the exit code: 0, 1 for a fault, 2 for what is no command. */
export async function runCommandLine(words: readonly string[], output: CommandOutput): Promise<number> {
  const [command, from, to, ...rest] = words;
  const asksForHelp = words.length === 1 && (command === "--help" || command === "help");
  if (asksForHelp) output.out(USAGE);
  if (asksForHelp) return 0;
  const run = command === "export" ? exportFile : command === "import" ? importFile : undefined;
  if (run === undefined || from === undefined || to === undefined || rest.length > 0) {
    output.error(USAGE);
    return 2;
  }
  try {
    output.out(await run(from, to));
    return 0;
  } catch (error) {
    output.error(describe(error));
    return 1;
  }
}

async function exportFile(file: string, copy: string): Promise<string> {
  // Opening would make it.
  if (!existsSync(file)) throw new SystemError("ENOENT", `There is no file "${file}".`);
  const target = await create(copy);
  try {
    const bytes = await exported(file);
    await target.writeFile(bytes);
    await target.sync();
    return `Wrote "${copy}", ${bytes.length} bytes.`;
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  } finally {
    await target.close();
  }
}

async function exported(file: string): Promise<Uint8Array> {
  await using database = await SqliteDatabase.open(file);
  // Awaited here: the database is closed on the way out.
  return await database.export();
}

async function importFile(copy: string, file: string): Promise<string> {
  const bytes = await readFile(copy).catch((error: unknown) => {
    throw systemError(error, `"${copy}" cannot be read`);
  });
  await importDatabase(file, bytes);
  return `Made "${file}" of "${copy}".`;
}

/** Never takes the place of a file. */
function create(path: string): Promise<FileHandle> {
  return open(path, "wx", 0o600).catch((error: unknown) => {
    throw systemError(error, `"${path}" cannot be created`);
  });
}

/** What the operating system refused, as a code and a sentence. */
class SystemError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function systemError(error: unknown, finding: string): unknown {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (typeof code !== "string") return error;
  return new SystemError(code, `${finding}${code === "EEXIST" ? ": it exists already" : ""}.`);
}

function describe(error: unknown): string {
  if (error instanceof StemError || error instanceof SystemError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? String(error.stack) : String(error);
}
