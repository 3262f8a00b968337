import type { Server, Socket } from "node:net";

/** The lock on one database, held until `release` or until the kernel ends this process or thread. */
export interface Ownership {
  /** Gets every connection that arrives at the lock's socket. While it is not set, connections are closed at once. */
  onConnection: ((socket: Socket) => void) | undefined;
  /** Whether the lock is still where others look for it; cheap. */
  isInPlace(): boolean;
  /** Lets the next one in, and closes all connections. Idempotent. */
  release(): Promise<void>;
}

/** What differs between the platforms once a server listens. */
export interface OwnershipPlace {
  isInPlace(): boolean;
  /** Makes room for the next owner; called once, before the server stops listening. */
  leave(): void;
}

/** An {@link Ownership} that is a listening server. Takes the server over with all its later connections. */
export class ListeningOwnership implements Ownership {
  onConnection: ((socket: Socket) => void) | undefined;
  readonly #server: Server;
  readonly #place: OwnershipPlace;
  readonly #connections = new Set<Socket>();
  #released: Promise<void> | undefined;

  constructor(server: Server, place: OwnershipPlace) {
    this.#server = server;
    this.#place = place;
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => this.#receive(socket));
  }

  isInPlace(): boolean {
    return this.#released === undefined && this.#place.isInPlace();
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  #receive(socket: Socket): void {
    if (this.onConnection === undefined) {
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    socket.once("close", () => this.#connections.delete(socket));
    this.onConnection(socket);
  }

  async #release(): Promise<void> {
    try {
      this.#place.leave();
    } finally {
      for (const connection of this.#connections) connection.destroy();
      await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    }
  }
}
