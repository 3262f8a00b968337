import type { PeerChannel, PeerListener } from "../../src/contracts/storage-driver.ts";
import { PeerInbox } from "./peer-inbox.ts";
import { messageToJson } from "./peer-message.ts";

/** One end of a {@link PeerChannel} inside one process. Messages are copied as JSON and told from microtasks. */
export class MemoryChannel implements PeerChannel {
  readonly #inbox = new PeerInbox();
  #other: MemoryChannel | undefined;

  /** Two ends of a new channel. */
  static pair(): readonly [MemoryChannel, MemoryChannel] {
    const [one, other] = [new MemoryChannel(), new MemoryChannel()];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  get isOpen(): boolean {
    return this.#other !== undefined;
  }

  send(message: unknown): void {
    const other = this.#other;
    if (other === undefined) return;
    const copy = JSON.parse(messageToJson(message)) as unknown;
    queueMicrotask(() => other.#inbox.add(copy));
  }

  listen(listener: PeerListener): void {
    this.#inbox.listen(listener);
  }

  /** Without effect: memory keeps no process alive. */
  keepAlive(): void {
    // Nothing to hold on to.
  }

  close(): void {
    const other = this.#other;
    if (other === undefined) return;
    this.#other = undefined;
    this.#inbox.discard();
    queueMicrotask(() => {
      other.#other = undefined;
      other.#inbox.end(undefined);
    });
  }
}
