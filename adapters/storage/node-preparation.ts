import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { hasCode, openingFailure, storageFailure } from "./node-errors.ts";
import { isLocalFileSystem, type OwnershipHost } from "./node-ownership-host.ts";
import { knock, listen } from "./node-socket.ts";

const SOCKET_NAME = /^[0-9a-f]{8}-[0-9a-f]{16}$/;

/** A folder with a listening socket in it, beside the lock's place and ready to be renamed there. */
export interface Preparation {
  readonly directory: string;
  /** The socket's name; never used before, never again. */
  readonly name: string;
  readonly server: Server;
  /** Stops listening and removes the folder. */
  discard(): Promise<void>;
}

/** Whether `name` was made by {@link prepare}. */
export function isSocketName(name: string): boolean {
  return SOCKET_NAME.test(name);
}

/** Makes a {@link Preparation}, or gives `undefined` when another process swept it away before it was ready. */
export async function prepare(lock: string, host: OwnershipHost): Promise<Preparation | undefined> {
  const name = uniqueName(host);
  const directory = `${lock}.${name}`;
  const server = createServer((socket) => socket.destroy());
  const discard = async (): Promise<void> => {
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    removeFolder(directory);
  };
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    throw openingFailure("mkdir", directory, "permission to create files in the folder", error);
  }
  try {
    await listen(server, directory, name);
    // An accept that fails harms the member that wanted in, and nobody else; it gets an error of its own.
    server.on("error", () => undefined);
    chmodSync(join(directory, name), 0o600);
  } catch (error) {
    const wasThere = existsSync(directory);
    await discard();
    if (!wasThere) return undefined;
    throw storageFailure("listen", directory, error);
  }
  return { directory, name, server, discard };
}

/** Removes preparations of processes that died before they renamed theirs; leaves everything that may be alive. */
export async function sweepPreparations(lock: string, host: OwnershipHost): Promise<void> {
  const folder = dirname(lock);
  const prefix = `${basename(lock)}.`;
  for (const entry of readFolder(folder) ?? []) {
    if (!entry.startsWith(prefix) || !isSocketName(entry.slice(prefix.length))) continue;
    const tag = entry.slice(prefix.length, prefix.length + host.tag.length);
    if (tag !== host.tag && !isLocalFileSystem(host.fileSystemType(folder))) continue;
    const directory = join(folder, entry);
    if (await isAbandoned(directory)) sweep(directory, `${lock}.${uniqueName(host)}`);
  }
}

/**
 * A folder may look abandoned in the moment between its making and its listening. Renaming it away first makes its
 * maker's own rename fail, so that it tries again; deleting in place could empty a folder that just became the lock.
 */
function sweep(directory: string, claimed: string): void {
  try {
    renameSync(directory, claimed);
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES", "EPERM")) return;
    throw storageFailure("rename", directory, error);
  }
  removeFolder(claimed);
}

async function isAbandoned(directory: string): Promise<boolean> {
  const names = readFolder(directory);
  if (names === undefined) return false;
  for (const name of names) {
    const answer = await knock(directory, name);
    if (answer === "alive" || answer === "hidden") return false;
  }
  return true;
}

/** The names in a folder; none when it is gone, `undefined` when it is another user's. */
function readFolder(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    if (hasCode(error, "EACCES", "EPERM")) return undefined;
    throw storageFailure("readdir", directory, error);
  }
}

function removeFolder(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    throw storageFailure("rm", directory, error);
  }
}

/** Taken from the system and not from an injected source: a name used twice would let a living owner be robbed. */
function uniqueName(host: OwnershipHost): string {
  return `${host.tag}-${randomBytes(8).toString("hex")}`;
}
