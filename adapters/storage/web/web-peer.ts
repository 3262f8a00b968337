import type { PeerChannel, StoragePeer } from "../../../src/contracts/storage-driver.ts";
import { WebChannel } from "./web-channel.ts";
import { writeKnock } from "./web-frames.ts";
import { isLocked, tryLock } from "./web-locks.ts";
import { fenceName, memberLockName, newWebId, ownerLockName, type WebPlace } from "./web-names.ts";
import { webPause } from "./web-pause.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** One owner of a database in another context, or in another part of this one. Its successors have ids of their own. */
export class WebPeer implements StoragePeer {
  readonly description = "another tab or worker";
  readonly #place: WebPlace;
  readonly #owner: string;

  constructor(place: WebPlace, owner: string) {
    this.#place = place;
    this.#owner = owner;
  }

  /** Does not wait for the owner to answer: a living one that hangs is the concern of whoever talks to it. */
  async connect(): Promise<PeerChannel | undefined> {
    const connection = newWebId();
    // Held before the owner hears of it, who takes a connection without its lock for a dead one.
    const life = await tryLock(memberLockName(this.#place, connection));
    const otherLock = ownerLockName(this.#place, this.#owner);
    if (!(await isLocked(otherLock))) {
      await life?.release();
      return undefined;
    }
    const channel = new WebChannel({
      place: this.#place,
      side: "member",
      connection,
      otherLock,
      onEnd: () => void life?.release(),
    });
    void this.#knock(channel, connection);
    return channel;
  }

  /** Says hello until there is an answer: nothing keeps it for an owner that was not listening. */
  async #knock(channel: WebChannel, connection: string): Promise<void> {
    const door = new BroadcastChannel(fenceName(this.#place));
    for (let pause = FIRST_PAUSE_MS; channel.isGreeting; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      door.postMessage(writeKnock({ owner: this.#owner, connection }));
      await webPause(pause);
    }
    door.close();
  }
}
