import type { PeerListener } from "../../src/contracts/storage-driver.ts";

/** What arrived at one end of a channel, held until somebody listens and then told in order. */
export class PeerInbox {
  readonly #onDrained: () => void;
  #held: unknown[] = [];
  #listener: PeerListener | undefined;
  #isDrained = false;
  #end: { readonly cause: unknown } | undefined;

  /** `onDrained` is called when everything that was held has been told and the channel is still open. */
  constructor(onDrained: () => void = () => undefined) {
    this.#onDrained = onDrained;
  }

  /** Whether what arrives has to wait. */
  get isHolding(): boolean {
    return !this.#isDrained;
  }

  /** Tells a message at once, or after those that are held. Without effect after the end. */
  add(message: unknown): void {
    if (this.#end !== undefined) return;
    if (this.#isDrained) this.#listener?.onMessage(message);
    else this.#held.push(message);
  }

  /** Tells the end after everything that was added before; only the first end counts. */
  end(cause: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { cause };
    if (this.#isDrained) this.#listener?.onClose(cause);
  }

  /** The end that the channel's own user asked for: drops what is held, and is told from a microtask. */
  discard(): void {
    if (this.#end !== undefined) return;
    this.#held = [];
    this.#end = { cause: undefined };
    if (this.#isDrained) queueMicrotask(() => this.#listener?.onClose(undefined));
  }

  /** Sets the listener, and tells it what is held from a microtask, so not before this returns. */
  listen(listener: PeerListener): void {
    this.#listener = listener;
    queueMicrotask(() => this.#drain(listener));
  }

  #drain(listener: PeerListener): void {
    while (this.#held.length > 0) listener.onMessage(this.#held.shift());
    this.#isDrained = true;
    if (this.#end === undefined) this.#onDrained();
    else listener.onClose(this.#end.cause);
  }
}
