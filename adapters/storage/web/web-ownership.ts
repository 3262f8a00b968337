import type { PeerChannel, StoragePeer } from "../../../src/contracts/storage-driver.ts";
import { DatabaseBusyError } from "../../../src/errors.ts";
import { type HeldLock, heldLockNames, tryLock } from "./web-locks.ts";
import { fenceName, newWebId, ownerLockName, ownerLockPrefix, type WebPlace } from "./web-names.ts";
import { webPause } from "./web-pause.ts";
import { WebPeer } from "./web-peer.ts";
import { WebReception } from "./web-reception.ts";

/** Rounds in which the owner changes, or is about to open or close. One that never gets further hangs. */
const ROUNDS = 200;
const LONGEST_PAUSE_MS = 20;

/** What the owner of a database in a browser holds. */
export interface WebOwnership {
  /** From now on `onPeer` is given each member's channel, those that were opened before included. */
  accept(onPeer: (channel: PeerChannel) => void): void;
  /** `false` once the lock was taken away, so that another context may own the database as well. */
  isInPlace(): boolean;
  /** Closes all channels, and gives ownership up. Idempotent. */
  release(): Promise<void>;
}

/** Either this context owns the database now, or it learned who does. */
export type WebOwnershipResult = { readonly owner: WebOwnership } | { readonly peer: StoragePeer };

/**
 * Takes the lock of a database among all contexts of this origin (pages, workers of any kind), or reports its living
 * owner, without waiting for it. Time plays no part, and nothing is taken from anybody: the browser drops a lock when
 * its context ends.
 *
 * Throws `UnsupportedEnvironmentError` where there are no Web Locks: two tabs could not know of each other.
 */
export async function becomeWebOwner(place: WebPlace): Promise<WebOwnershipResult> {
  for (let round = 0; round < ROUNDS; round++) {
    const fence = await tryLock(fenceName(place));
    if (fence !== undefined) return { owner: await settle(place, fence) };
    const found = await findOwner(place);
    if (found instanceof WebPeer) return { peer: found };
    await pauseAfter(round);
  }
  throw stuck(place);
}

/** The living owner of a database, if there is one. Takes nothing, and works in contexts that could not be the owner. */
export async function meetWebOwner(place: WebPlace): Promise<StoragePeer | undefined> {
  for (let round = 0; round < ROUNDS; round++) {
    const found = await findOwner(place);
    if (found === "nobody") return undefined;
    if (found !== "changing") return found;
    await pauseAfter(round);
  }
  throw stuck(place);
}

/**
 * The lock of the database says that there is an owner, and a second one who it is: it is held from when the owner can
 * be reached until it can not, always inside the first. `changing` is the moment in which only the first is held.
 */
async function findOwner(place: WebPlace): Promise<WebPeer | "nobody" | "changing"> {
  const names = await heldLockNames();
  if (!names.includes(fenceName(place))) return "nobody";
  const prefix = ownerLockPrefix(place);
  const name = names.find((held) => held.startsWith(prefix));
  return name === undefined ? "changing" : new WebPeer(place, name.slice(prefix.length));
}

async function settle(place: WebPlace, fence: HeldLock): Promise<WebOwnership> {
  const id = newWebId();
  // Before anybody can learn of the owner, it listens.
  const reception = new WebReception(place, id);
  let life: HeldLock | undefined;
  try {
    life = await tryLock(ownerLockName(place, id));
  } catch (error) {
    reception.close();
    await fence.release();
    throw error;
  }
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    reception.close();
    // The next owner comes only when nobody can find this one any more.
    await life?.release();
    await fence.release();
  };
  return {
    accept: (onPeer) => reception.accept(onPeer),
    isInPlace: () => fence.isHeld,
    release: () => (released ??= release()),
  };
}

async function pauseAfter(round: number): Promise<void> {
  await webPause(Math.min(round, LONGEST_PAUSE_MS));
}

function stuck({ database }: WebPlace): DatabaseBusyError {
  return new DatabaseBusyError(database, "a tab or worker that neither opens nor closes it; it hangs");
}
