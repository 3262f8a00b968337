import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { StoragePeer } from "../../src/contracts/storage-driver.ts";
import { DatabaseBusyError } from "../../src/errors.ts";
import { hasCode, storageFailure } from "./node-errors.ts";
import { ListeningOwnership } from "./node-listening-ownership.ts";
import type { OwnershipResult } from "./node-ownership.ts";
import { NodePeer } from "./node-peer.ts";
import { dialAt, listenAt, toKnockAnswer } from "./node-socket.ts";

/**
 * The election on Windows: the first instance of a named pipe is the lock, and the system drops it with its process.
 * Only written, never run: there was no Windows machine to test on.
 */
export async function becomePipeOwner(path: string): Promise<OwnershipResult> {
  const server = createServer();
  try {
    await listenAt(server, pipeOf(path));
  } catch (error) {
    if (hasCode(error, "EADDRINUSE", "EACCES")) return { peer: pipePeer(path) };
    throw storageFailure("listen", path, error);
  }
  // An accept that fails harms the member that wanted in, and nobody else; it gets an error of its own.
  server.on("error", () => undefined);
  return { owner: new ListeningOwnership(server, { path, isInPlace: () => server.listening, leave: () => undefined }) };
}

/** The living owner of the database at `path` on Windows, if there is one. */
export async function meetPipeOwner(path: string): Promise<StoragePeer | undefined> {
  const answer = toKnockAnswer(await dialAt(pipeOf(path), path));
  if (answer === "hidden") throw new DatabaseBusyError(path, "a process of another user");
  return answer === "alive" ? pipePeer(path) : undefined;
}

function pipePeer(path: string): StoragePeer {
  return new NodePeer(path, () => dialAt(pipeOf(path), path));
}

function pipeOf(path: string): string {
  return `\\\\.\\pipe\\stem-${createHash("sha256").update(path.toLowerCase()).digest("hex").slice(0, 32)}`;
}
