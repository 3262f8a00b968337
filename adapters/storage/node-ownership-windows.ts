import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { hasCode, storageFailure } from "./node-errors.ts";
import { ListeningOwnership } from "./node-listening-ownership.ts";
import type { OwnershipResult } from "./node-ownership.ts";
import { listenAt } from "./node-socket.ts";

/**
 * The election on Windows: the first instance of a named pipe is the lock, and the system drops it with its process.
 * Only written, never run: there was no Windows machine to test on.
 */
export async function becomePipeOwner(path: string): Promise<OwnershipResult> {
  const digest = createHash("sha256").update(path.toLowerCase()).digest("hex").slice(0, 32);
  const server = createServer();
  try {
    await listenAt(server, `\\\\.\\pipe\\stem-${digest}`);
  } catch (error) {
    if (hasCode(error, "EADDRINUSE", "EACCES")) return { peer: { description: "another process or thread", connect: async () => undefined } };
    throw storageFailure("listen", path, error);
  }
  // An accept that fails harms the member that wanted in, and nobody else; it gets an error of its own.
  server.on("error", () => undefined);
  return { owner: new ListeningOwnership(server, { isInPlace: () => server.listening, leave: () => undefined }) };
}
