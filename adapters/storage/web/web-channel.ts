import type { PeerChannel, PeerListener } from "../../../src/contracts/storage-driver.ts";
import { PayloadTooLargeError, StorageIoError } from "../../../src/errors.ts";
import { PeerInbox } from "../peer-inbox.ts";
import { messageToJson } from "../peer-message.ts";
import { readFrame, type WebFrame, type WebSide, writeFrame } from "./web-frames.ts";
import { whenFree } from "./web-locks.ts";
import { lineName, type WebPlace } from "./web-names.ts";

/** What one message may take, in bytes of JSON, as between processes. */
const MESSAGE_LIMIT = 128 * 1024 * 1024;

/** What {@link WebChannel} is an end of. */
export interface WebChannelParts {
  readonly place: WebPlace;
  readonly side: WebSide;
  readonly connection: string;
  /** The lock that the other side holds while it lives. */
  readonly otherLock: string;
  /** Called once when nothing more can be heard or said. */
  onEnd(): void;
}

/**
 * One end of a connection between two contexts of an origin, over a `BroadcastChannel` of its own. What is sent before
 * the other end has answered waits for that. A side that ends without a word is noticed by the lock it held.
 *
 * Messages are numbered: what is said twice counts once, and one that is missing ends the connection.
 */
export class WebChannel implements PeerChannel {
  readonly #parts: WebChannelParts;
  readonly #line: BroadcastChannel;
  readonly #inbox = new PeerInbox();
  readonly #stopWatching: () => void;
  /** `greeting` until the other end has answered, `closing` until it has heard the `bye`. */
  #state: "greeting" | "open" | "closing" | "ended" = "greeting";
  #isClosed = false;
  #waiting: string[] = [];
  #sent = 0;
  #heard = 0;

  constructor(parts: WebChannelParts) {
    this.#parts = parts;
    this.#line = new BroadcastChannel(lineName(parts.place, parts.connection));
    this.#line.addEventListener("message", (event) => this.#receive(event.data));
    this.#line.addEventListener("messageerror", () => this.#fail());
    this.#stopWatching = whenFree(parts.otherLock, () => this.#end(undefined));
    this.welcome();
  }

  get isGreeting(): boolean {
    return this.#state === "greeting";
  }

  /** Has the owner's end tell the member, once more, that it is there. */
  welcome(): void {
    if (this.#parts.side === "owner" && this.#state === "greeting") this.#post({ type: "welcome" });
  }

  send(message: unknown): void {
    if (this.#isClosed) return;
    const text = messageToJson(message);
    checkSize(text);
    if (this.#state === "greeting") this.#waiting.push(text);
    else this.#post({ type: "message", number: this.#sent++, text });
  }

  listen(listener: PeerListener): void {
    this.#inbox.listen(listener);
  }

  /** Without effect: nothing keeps a tab alive. */
  keepAlive(): void {
    // Nothing to hold on to.
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox.discard();
    if (this.#state === "open") this.#sayBye();
  }

  /** Closes the channel without waiting for the other side to hear of it. */
  destroy(): void {
    if (this.#state === "open") this.#sayBye();
    this.#end(undefined);
  }

  #receive(raw: unknown): void {
    if (this.#state === "ended") return;
    const frame = readFrame(this.#parts.side === "owner" ? "member" : "owner", raw);
    switch (frame?.type) {
      case "welcome":
        if (this.#state === "greeting") this.#open();
        break;
      case "ready":
        if (this.#state === "greeting") this.#open();
        break;
      case "message":
        if (this.#state !== "greeting") this.#take(frame.number, frame.text);
        break;
      case "bye":
        if (frame.number > this.#heard) return this.#fail();
        this.#post({ type: "gone" });
        this.#end(undefined);
        break;
      case "gone":
        if (this.#state === "closing") this.#end(undefined);
        break;
      case undefined:
        break;
    }
  }

  #open(): void {
    this.#state = "open";
    if (this.#parts.side === "member") this.#post({ type: "ready" });
    for (const text of this.#waiting.splice(0)) this.#post({ type: "message", number: this.#sent++, text });
    if (this.#isClosed) this.#sayBye();
  }

  #take(number: number, text: string): void {
    if (number < this.#heard) return;
    if (number > this.#heard) return this.#fail();
    this.#heard += 1;
    let message: unknown;
    try {
      message = JSON.parse(text) as unknown;
    } catch (error) {
      return this.#fail(error);
    }
    this.#inbox.add(message);
  }

  #sayBye(): void {
    this.#state = "closing";
    this.#post({ type: "bye", number: this.#sent });
  }

  #fail(cause?: unknown): void {
    if (this.#state === "open") this.#sayBye();
    this.#end(new StorageIoError("read", this.#parts.place.database, "EPROTO", cause));
  }

  #end(cause: unknown): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#isClosed = true;
    this.#waiting = [];
    this.#stopWatching();
    this.#line.close();
    this.#inbox.end(cause);
    this.#parts.onEnd();
  }

  #post(frame: WebFrame): void {
    this.#line.postMessage(writeFrame(this.#parts.side, frame));
  }
}

/** One UTF-16 unit takes up to three bytes; only what may be too large is counted. */
function checkSize(text: string): void {
  if (text.length * 3 <= MESSAGE_LIMIT) return;
  const size = new Blob([text]).size;
  if (size > MESSAGE_LIMIT) throw new PayloadTooLargeError("A message between two contexts", MESSAGE_LIMIT, size);
}
