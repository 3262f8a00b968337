import type { Clock, Timer } from "../../../src/contracts/clock.ts";
import type { PeerChannel, StoragePeer } from "../../../src/contracts/storage-driver.ts";
import { describeError, reviveError } from "../../../src/error-transfer.ts";
import { EngineError, OwnerUnresponsiveError } from "../../../src/errors.ts";
import type { Durability } from "../durability.ts";
import type { HeldLink, LinkListener } from "./owner-link.ts";
import type { MemberBatch, OwnerBatch } from "./protocol.ts";
import { type FromMember, PROTOCOL_VERSION, readFromOwner, SCHEMA_VERSION } from "./wire.ts";

/** What a member says of itself, and how patient it is. */
export interface PeerLinkParts {
  readonly database: string;
  readonly session: string;
  /** The platform's name for this context; empty where there is none. */
  readonly context: string;
  readonly durability: Durability;
  readonly clock: Clock;
  /** Silence after which an owner that owes an answer counts as unresponsive. */
  readonly ownerTimeout: number;
}

/** A silence that ends here was this process's own: it slept, and has not read yet what came meanwhile. */
const SECOND_LOOK_MS = 1_000;

/**
 * Becomes a member of the owner behind `peer`; `undefined` when that is gone. Throws what the owner has against this
 * member, and `OwnerUnresponsiveError` for one that is silent.
 */
export async function connectToOwner(
  peer: StoragePeer,
  listener: LinkListener,
  parts: PeerLinkParts,
): Promise<HeldLink | undefined> {
  const channel = await peer.connect();
  if (channel === undefined) return undefined;
  const link = new PeerLink(channel, peer.description, listener, parts);
  return (await link.welcomed()) ? link : undefined;
}

class PeerLink implements HeldLink {
  readonly #channel: PeerChannel;
  readonly #listener: LinkListener;
  readonly #parts: PeerLinkParts;
  #owner: string;
  /** Ids of calls that have not been answered. */
  readonly #owed = new Set<number>();
  #watch: Timer | undefined;
  /** When the owner last said something, or began to owe something. */
  #heardAt: number;
  #isDoubted = false;
  #isClosing = false;
  #state: "greeting" | "open" | "closed" = "greeting";
  #greeted!: (isWelcome: boolean) => void;
  #refused!: (error: unknown) => void;
  /** Called when nothing is owed any more, and when the link has ended. */
  #onSettled: (() => void) | undefined;

  constructor(channel: PeerChannel, owner: string, listener: LinkListener, parts: PeerLinkParts) {
    this.#channel = channel;
    this.#owner = owner;
    this.#listener = listener;
    this.#parts = parts;
    this.#heardAt = parts.clock.monotonic();
  }

  /** Greets the owner; `false` when the line ended before its answer. */
  welcomed(): Promise<boolean> {
    const { session, context, durability, clock, ownerTimeout } = this.#parts;
    return new Promise<boolean>((resolve, reject) => {
      const timer = clock.schedule(() => this.#giveUp(this.#unresponsive(ownerTimeout)), ownerTimeout, {
        keepAlive: true,
      });
      this.#greeted = (isWelcome) => {
        timer.cancel();
        resolve(isWelcome);
      };
      this.#refused = (error) => {
        timer.cancel();
        reject(error);
      };
      this.#channel.listen({
        onMessage: (message) => this.#onMessage(message),
        onClose: (cause) => this.#onClose(cause),
      });
      this.#say({ type: "hello", protocol: PROTOCOL_VERSION, schema: SCHEMA_VERSION, session, context, durability });
    });
  }

  send(batch: MemberBatch, answered: number): void {
    if (this.#state !== "open") return;
    if (this.#owed.size === 0) this.#heardAt = this.#parts.clock.monotonic();
    for (const [id] of batch) this.#owed.add(id);
    this.#sendSplit(batch, answered);
    this.#watch ??= this.#arm(this.#parts.ownerTimeout);
  }

  waiting(on: boolean): void {
    // The last answers come while the line is being closed: the process must not end on them.
    if (!this.#isClosing) this.#channel.keepAlive(on);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#channel.keepAlive(true);
    if (this.#owed.size > 0 && this.#state === "open") await new Promise<void>((done) => (this.#onSettled = done));
    if (this.#state === "open") {
      this.#heardAt = this.#parts.clock.monotonic();
      this.#watch ??= this.#arm(this.#parts.ownerTimeout);
      const left = new Promise<void>((done) => (this.#onSettled = done));
      this.#owed.add(Number.POSITIVE_INFINITY);
      this.#say({ type: "leave" });
      await left;
    }
    this.#end();
  }

  /** Without a word: there may be no time for an answer, and the owner keeps what it would have said. */
  letGo(): Promise<void> {
    this.#state = "closed";
    this.#watch?.cancel();
    this.#destroy();
    return Promise.resolve();
  }

  #destroy(): void {
    if (this.#channel.destroy === undefined) this.#channel.close();
    else this.#channel.destroy();
  }

  /** A batch that is too large for one message goes in parts; a call that is too large alone is answered here. */
  #sendSplit(calls: MemberBatch, answered: number): void {
    try {
      this.#say({ type: "calls", calls, answered });
    } catch (error) {
      const [only] = calls;
      if (calls.length === 1 && only !== undefined) {
        this.#receive({ replies: [[only[0], undefined, describeError(error)]], pushes: [] });
        return;
      }
      const half = Math.ceil(calls.length / 2);
      this.#sendSplit(calls.slice(0, half), answered);
      this.#sendSplit(calls.slice(half), answered);
    }
  }

  #onMessage(raw: unknown): void {
    this.#heardAt = this.#parts.clock.monotonic();
    this.#isDoubted = false;
    const message = readFromOwner(raw);
    if (message?.type === "batch" && this.#state === "open") this.#receive(message.batch);
    else if (message?.type === "welcome" && this.#state === "greeting") {
      this.#state = "open";
      this.#owner = message.owner;
      this.#greeted(true);
    } else if (message?.type === "refused") this.#refuse(reviveError(message.error));
    else if (message?.type === "left") this.#settled();
    else this.#onClose(new EngineError("the owner of the database said what no owner says"));
  }

  #receive(batch: OwnerBatch): void {
    for (const [id] of batch.replies) this.#owed.delete(id);
    this.#listener.receive(batch);
    if (this.#owed.size === 0) this.#settled();
  }

  #refuse(error: unknown): void {
    if (this.#state !== "greeting") return;
    this.#end();
    this.#refused(error);
  }

  /** A line that waits for a silent owner to hear its end would stay, one more with each try, and be heard when that wakes. */
  #giveUp(error: unknown): void {
    if (this.#state === "greeting") this.#destroy();
    this.#refuse(error);
  }

  #onClose(cause: unknown): void {
    const state = this.#state;
    this.#end();
    if (state === "greeting") this.#greeted(false);
    if (state === "open") this.#listener.lost(cause, true);
    this.#settled();
  }

  #end(): void {
    this.#state = "closed";
    this.#watch?.cancel();
    this.#watch = undefined;
    this.#channel.close();
  }

  #settled(): void {
    const done = this.#onSettled;
    this.#onSettled = undefined;
    done?.();
  }

  /** One timer for all calls; it is left to run while there is nothing to watch for. */
  #arm(delay: number): Timer {
    return this.#parts.clock.schedule(() => this.#look(), delay);
  }

  #look(): void {
    this.#watch = undefined;
    if (this.#owed.size === 0) return;
    const silence = this.#parts.clock.monotonic() - this.#heardAt;
    const left = this.#parts.ownerTimeout - silence;
    if (left > 0) this.#watch = this.#arm(left);
    else if (!this.#isDoubted) {
      this.#isDoubted = true;
      this.#watch = this.#arm(SECOND_LOOK_MS);
    } else {
      this.#owed.clear();
      this.#listener.unresponsive(this.#unresponsive(silence));
      this.#settled();
    }
  }

  #unresponsive(silence: number): OwnerUnresponsiveError {
    return new OwnerUnresponsiveError(this.#parts.database, this.#owner, Math.round(silence));
  }

  #say(message: FromMember): void {
    this.#channel.send(message);
  }
}
