import type { Socket } from "node:net";
import type { PeerChannel, StoragePeer } from "../../src/contracts/storage-driver.ts";
import { DatabaseBusyError } from "../../src/errors.ts";
import { NodeChannel } from "./node-channel.ts";
import type { DialAnswer } from "./node-socket.ts";

/** A crowd that does not shrink in so many turns belongs to an owner that hangs. */
const ATTEMPTS = 100;

/** The owner that listens at one socket; its successors have sockets of their own. */
export class NodePeer implements StoragePeer {
  readonly description = "another process or thread";
  readonly #path: string;
  readonly #dial: () => Promise<DialAnswer>;

  constructor(path: string, dial: () => Promise<DialAnswer>) {
    this.#path = path;
    this.#dial = dial;
  }

  async connect(): Promise<PeerChannel | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const answer = await this.#dial();
      if ("socket" in answer) return this.#open(answer.socket);
      if (answer.refusal === "hidden") throw new DatabaseBusyError(this.#path, "a process of another user");
      if (answer.refusal !== "crowded") return undefined;
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    throw new DatabaseBusyError(this.#path, "a process or thread that lets nobody in; it hangs, or is overrun");
  }

  /** What a member has not sent yet, its program has in memory anyway; giving the line up would only send it again. */
  #open(socket: Socket): PeerChannel {
    return new NodeChannel(socket, { path: this.#path, unsentLimit: Number.POSITIVE_INFINITY });
  }
}
