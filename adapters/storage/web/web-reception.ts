import type { PeerChannel } from "../../../src/contracts/storage-driver.ts";
import { WebChannel } from "./web-channel.ts";
import { readKnock } from "./web-frames.ts";
import { isLocked } from "./web-locks.ts";
import { fenceName, memberLockName, type WebPlace } from "./web-names.ts";

/** As on other platforms; who knocks beyond that is let in when somebody has gone. */
const MOST_CONNECTIONS = 1000;

/** Where the owner of a database hears members knock, from its making until `close`. */
export class WebReception {
  readonly #place: WebPlace;
  readonly #owner: string;
  readonly #door: BroadcastChannel;
  readonly #channels = new Map<string, WebChannel>();
  readonly #held: WebChannel[] = [];
  #admissions: Promise<void> = Promise.resolve();
  #onPeer: ((channel: PeerChannel) => void) | undefined;
  #isClosed = false;

  constructor(place: WebPlace, owner: string) {
    this.#place = place;
    this.#owner = owner;
    this.#door = new BroadcastChannel(fenceName(place));
    this.#door.addEventListener("message", (event) => this.#hear(event.data));
  }

  /** Gives the channels of all members, in the order in which they first knocked. To be called once. */
  accept(onPeer: (channel: PeerChannel) => void): void {
    this.#onPeer = onPeer;
    for (const channel of this.#held.splice(0)) onPeer(channel);
  }

  /** Closes all channels, and lets nobody in any more. */
  close(): void {
    this.#isClosed = true;
    this.#door.close();
    for (const channel of this.#channels.values()) channel.destroy();
  }

  #hear(raw: unknown): void {
    const knock = readKnock(raw);
    if (knock?.owner !== this.#owner) return;
    // One after the other: whoever knocks first is first.
    this.#admissions = this.#admissions.then(() => this.#admit(knock.connection)).catch(() => undefined);
  }

  async #admit(connection: string): Promise<void> {
    const known = this.#channels.get(connection);
    if (known !== undefined) return known.welcome();
    if (this.#channels.size >= MOST_CONNECTIONS) return;
    const otherLock = memberLockName(this.#place, connection);
    // A member that has gone, or a message that somebody repeated.
    if (!(await isLocked(otherLock)) || this.#isClosed) return;
    const channel = new WebChannel({
      place: this.#place,
      side: "owner",
      connection,
      otherLock,
      onEnd: () => this.#channels.delete(connection),
    });
    this.#channels.set(connection, channel);
    if (this.#onPeer === undefined) this.#held.push(channel);
    else this.#onPeer(channel);
  }
}
