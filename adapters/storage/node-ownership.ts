import { existsSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StoragePeer } from "../../src/contracts/storage-driver.ts";
import { DatabaseBusyError, StorageIoError } from "../../src/errors.ts";
import { NodePeer } from "./node-peer.ts";
import { hasCode, storageFailure } from "./node-errors.ts";
import { ListeningOwnership, type Ownership } from "./node-listening-ownership.ts";
import { checkLockFolder } from "./node-lock-folder.ts";
import { isLocalFileSystem, type OwnershipHost, refuseNetworkFileSystem, thisHost } from "./node-ownership-host.ts";
import { becomePipeOwner, meetPipeOwner } from "./node-ownership-windows.ts";
import { isSocketName, type Preparation, prepare, sweepPreparations } from "./node-preparation.ts";
import { dial, type DialAnswer, knock } from "./node-socket.ts";

/** Each round that fails means that somebody else came or went; this many in a row means that something is wrong. */
const ROUNDS = 1000;

/** Either this context owns the database now, or it learned who does. */
export type OwnershipResult = { readonly owner: Ownership } | { readonly peer: StoragePeer };

/**
 * Takes the lock on the database at `path`, or reports its living owner, without waiting for it.
 *
 * The lock is the folder `<path>.lock` with one listening socket in it. It is prepared under another name and renamed
 * in place; renaming onto a folder that is not empty fails, so there is one winner. A dead owner's socket refuses
 * connections, and has a name that is never used again: whoever sees that may unlink it. Time plays no part.
 */
export async function becomeOwner(path: string, host: OwnershipHost = thisHost()): Promise<OwnershipResult> {
  if (process.platform === "win32") return becomePipeOwner(path);
  const lock = `${path}.lock`;
  refuseNetworkFileSystem(host.fileSystemType(dirname(path)), dirname(path));
  let prepared: Preparation | undefined;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const peer = await meetOwner(path, host);
      if (peer !== undefined) return { peer };
      prepared ??= await prepare(lock, host);
      const outcome = prepared === undefined ? "swept" : moveInPlace(prepared, lock);
      if (outcome === "taken") continue;
      const mine = prepared;
      prepared = undefined;
      if (outcome === "won" && mine !== undefined) return { owner: await settle(mine, path, lock, host) };
      await mine?.discard();
    }
  } finally {
    await prepared?.discard();
  }
  throw new DatabaseBusyError(path, "processes that open and close it all the time");
}

/** The living owner of the database at `path`, if there is one; removes what a dead one left, and creates nothing. */
export async function meetOwner(path: string, host: OwnershipHost = thisHost()): Promise<StoragePeer | undefined> {
  if (process.platform === "win32") return meetPipeOwner(path);
  const lock = `${path}.lock`;
  for (const name of listLock(path, lock)) {
    if (!isSocketName(name)) throw new StorageIoError("rename", join(lock, name), "ENOTEMPTY");
    const answer = await knock(lock, name);
    if (answer === "alive") return new NodePeer(path, () => dialOwner(path, lock, name));
    if (answer === "gone") continue;
    if (answer === "hidden") throw new DatabaseBusyError(path, "a process of another user");
    if (!name.startsWith(host.tag) && !isLocalFileSystem(host.fileSystemType(dirname(lock)))) {
      throw new DatabaseBusyError(path, `a process on another host; if that host is gone, delete "${lock}"`);
    }
    removeDead(join(lock, name));
  }
  return undefined;
}

async function dialOwner(path: string, lock: string, name: string): Promise<DialAnswer> {
  // The folder may have been exchanged since it was listed.
  if (!checkLockFolder(path, lock)) return { refusal: "gone" };
  return dial(lock, name);
}

function listLock(path: string, lock: string): readonly string[] {
  if (!checkLockFolder(path, lock)) return [];
  try {
    return readdirSync(lock);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    if (hasCode(error, "EACCES", "EPERM")) throw new DatabaseBusyError(path, "a process of another user");
    throw storageFailure("readdir", lock, error);
  }
}

function removeDead(socket: string): void {
  try {
    unlinkSync(socket);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw storageFailure("unlink", socket, error);
  }
}

function moveInPlace(prepared: Preparation, lock: string): "won" | "taken" | "swept" {
  try {
    renameSync(prepared.directory, lock);
    return "won";
  } catch (error) {
    if (hasCode(error, "ENOTEMPTY", "EEXIST")) return "taken";
    // Another process took the preparation for a leftover, in the moment before its socket listened.
    if (hasCode(error, "ENOENT")) return "swept";
    throw storageFailure("rename", lock, error);
  }
}

async function settle(prepared: Preparation, path: string, lock: string, host: OwnershipHost): Promise<Ownership> {
  const socket = join(lock, prepared.name);
  const ownership = new ListeningOwnership(prepared.server, {
    path,
    isInPlace: () => existsSync(socket),
    leave: () => {
      // From the unlink on, the next owner may rename its folder over ours.
      removeDead(socket);
      removeIfEmpty(lock);
    },
  });
  try {
    await sweepPreparations(lock, host);
  } catch (error) {
    await ownership.release();
    throw error;
  }
  return ownership;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw storageFailure("rmdir", directory, error);
  }
}
