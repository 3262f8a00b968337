import type { Socket } from "node:net";
import type { PeerChannel, PeerListener } from "../../src/contracts/storage-driver.ts";
import { StorageIoError, TimeoutError } from "../../src/errors.ts";
import { type Deadline, platformDeadline } from "./node-deadline.ts";
import { storageFailure } from "./node-errors.ts";
import { FrameDecoder, FrameEncoder, GREETING, parseFrame } from "./node-frames.ts";
import { PeerInbox } from "./peer-inbox.ts";

const UNSENT_LIMIT = 256 * 1024 * 1024;
/** How much may have arrived before somebody listens; the rest waits in the kernel and at the sender, in bytes. */
const HELD_LIMIT = 1024 * 1024;
const GRACE_MS = 5000;

/** What {@link NodeChannel} takes beside its socket. */
export interface NodeChannelOptions {
  /** What errors call the connection: the path of the database. */
  readonly path: string;
  /** Set where the other side opened the connection: called once it greeted, before its first message. */
  readonly onGreeting?: () => void;
  /** How long the other side may take for its first whole message. @defaultValue for ever */
  readonly firstMessage?: Deadline;
  /** How long the other side may take to read what was sent before `close`. @defaultValue 5 s */
  readonly lastMessages?: Deadline;
  /** How many bytes may wait to be sent; with more, the connection is given up. @defaultValue 256 MiB */
  readonly unsentLimit?: number;
}

/**
 * A {@link PeerChannel} over a connected socket, which it takes over. The messages of one turn are one write. A
 * connection ends with `undefined` as its cause when either side closed it, and otherwise with a typed error.
 */
export class NodeChannel implements PeerChannel {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #lastMessages: Deadline;
  readonly #unsentLimit: number;
  readonly #encoder = new FrameEncoder();
  readonly #decoder: FrameDecoder;
  readonly #inbox: PeerInbox = new PeerInbox(() => void this.#socket.resume());
  #onGreeting: (() => void) | undefined;
  #heldBytes = 0;
  #isClosed = false;
  #fault: unknown;
  #cancelFirst: (() => void) | undefined;

  constructor(socket: Socket, options: NodeChannelOptions) {
    this.#socket = socket;
    this.#path = options.path;
    this.#lastMessages = options.lastMessages ?? platformDeadline(GRACE_MS);
    this.#unsentLimit = options.unsentLimit ?? UNSENT_LIMIT;
    this.#onGreeting = options.onGreeting;
    this.#decoder = new FrameDecoder(options.path, options.onGreeting === undefined);
    socket.unref();
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    // The other side says no more and hears no more; waiting for it to read would be for ever.
    socket.on("end", () => socket.destroy());
    socket.on("error", (error) => (this.#fault ??= storageFailure("connection", this.#path, error)));
    socket.on("close", () => this.#finish());
    if (socket.destroyed) queueMicrotask(() => this.#finish());
    if (options.onGreeting === undefined) socket.write(GREETING);
    this.#cancelFirst = options.firstMessage?.(() => {
      this.#fail(new TimeoutError(`The first message to the owner of "${this.#path}"`, GRACE_MS));
    });
  }

  send(message: unknown): void {
    if (this.#isClosed) return;
    const isFirst = this.#encoder.waiting === 0;
    this.#encoder.add(message);
    if (this.#socket.writableLength + this.#encoder.waiting > this.#unsentLimit) {
      this.#fail(new StorageIoError("write", this.#path, "ENOBUFS"));
    } else if (isFirst) queueMicrotask(() => this.#flush());
  }

  listen(listener: PeerListener): void {
    this.#inbox.listen(listener);
  }

  keepAlive(on: boolean): void {
    if (this.#isClosed) return;
    if (on) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    this.#cancelFirst?.();
    this.#inbox.discard();
    this.#socket.unref();
    this.#socket.destroySoon();
    if (this.#socket.destroyed) return;
    // A write that is under way keeps the process alive, whatever the socket does.
    const cancel = this.#lastMessages(() => this.#socket.destroy());
    this.#socket.once("close", cancel);
  }

  /** Closes the channel at once; what was sent goes out as far as the kernel takes it without waiting. */
  destroy(): void {
    this.#flush();
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #flush(): void {
    if (this.#encoder.waiting === 0) return;
    const bytes = this.#encoder.take();
    if (!this.#isClosed) this.#socket.write(bytes);
  }

  #receive(chunk: Buffer): void {
    // Nobody would take the messages out again.
    if (this.#isClosed) return;
    this.#decoder.push(chunk);
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#greeted();
      this.#cancelFirst?.();
      this.#cancelFirst = undefined;
      this.#inbox.add(next.message);
    }
    if (this.#decoder.isGreeted) this.#greeted();
    if (!this.#inbox.isHolding) return;
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_LIMIT) this.#socket.pause();
  }

  /** The next whole message; `undefined` when there is none, or when what arrived is none and the channel fails. */
  #next(): { readonly message: unknown } | undefined {
    if (this.#isClosed) return undefined;
    try {
      const frame = this.#decoder.next();
      return frame === undefined ? undefined : { message: parseFrame(this.#path, frame) };
    } catch (error) {
      this.#fail(storageFailure("read", this.#path, error));
      return undefined;
    }
  }

  #greeted(): void {
    if (this.#isClosed) return;
    const onGreeting = this.#onGreeting;
    this.#onGreeting = undefined;
    onGreeting?.();
  }

  #fail(fault: unknown): void {
    this.#fault ??= fault;
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #finish(): void {
    this.#isClosed = true;
    this.#cancelFirst?.();
    this.#inbox.end(this.#fault);
  }
}
