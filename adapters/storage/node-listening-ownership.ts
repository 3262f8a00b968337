import type { Server, Socket } from "node:net";
import type { PeerChannel } from "../../src/contracts/storage-driver.ts";
import { NodeChannel } from "./node-channel.ts";
import { type Deadline, platformDeadline } from "./node-deadline.ts";

const MOST_CONNECTIONS = 1000;
const FIRST_MESSAGE_MS = 5000;

/** The lock on one database, held until `release` or until the kernel ends this process or thread. */
export interface Ownership {
  /** From now on `onPeer` gets each connection that greets, those that did before and are still open first, in order. */
  accept(onPeer: (channel: PeerChannel) => void): void;
  /** Whether the lock is still where others look for it; cheap. */
  isInPlace(): boolean;
  /** Lets the next one in, and closes all connections. Idempotent. */
  release(): Promise<void>;
}

/** What differs between the platforms once a server listens. */
export interface OwnershipPlace {
  /** What errors call the lock: the path of the database. */
  readonly path: string;
  isInPlace(): boolean;
  /** Makes room for the next owner; called once, before the server stops listening. */
  leave(): void;
}

/** What protects an owner from those who connect to it; tests give smaller ones. */
export interface OwnershipLimits {
  /** How long a connection may take for its first whole message. @defaultValue 5 s */
  readonly firstMessage?: Deadline;
  /** How many connections may be open; further ones are closed at once. @defaultValue 1,000 */
  readonly connections?: number;
}

/** An {@link Ownership} that is a listening server. Takes the server over with all its later connections. */
export class ListeningOwnership implements Ownership {
  readonly #server: Server;
  readonly #place: OwnershipPlace;
  readonly #firstMessage: Deadline;
  readonly #channels = new Set<NodeChannel>();
  /** Those of {@link #channels} that greeted, in that order, until somebody accepts them. */
  readonly #waiting = new Set<NodeChannel>();
  #onPeer: ((channel: PeerChannel) => void) | undefined;
  #released: Promise<void> | undefined;

  constructor(server: Server, place: OwnershipPlace, limits: OwnershipLimits = {}) {
    this.#server = server;
    this.#place = place;
    this.#firstMessage = limits.firstMessage ?? platformDeadline(FIRST_MESSAGE_MS);
    server.maxConnections = limits.connections ?? MOST_CONNECTIONS;
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => this.#receive(socket));
  }

  accept(onPeer: (channel: PeerChannel) => void): void {
    this.#onPeer = onPeer;
    for (const channel of this.#waiting) {
      this.#waiting.delete(channel);
      onPeer(channel);
    }
  }

  isInPlace(): boolean {
    return this.#released === undefined && this.#place.isInPlace();
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  #receive(socket: Socket): void {
    const onGreeting = (): void => {
      if (this.#onPeer === undefined) this.#waiting.add(channel);
      else this.#onPeer(channel);
    };
    const channel = new NodeChannel(socket, { path: this.#place.path, firstMessage: this.#firstMessage, onGreeting });
    this.#channels.add(channel);
    socket.once("close", () => {
      this.#channels.delete(channel);
      this.#waiting.delete(channel);
    });
  }

  async #release(): Promise<void> {
    try {
      this.#place.leave();
    } finally {
      for (const channel of this.#channels) channel.destroy();
      await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    }
  }
}
