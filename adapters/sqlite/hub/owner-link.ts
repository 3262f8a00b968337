import type { StemError } from "../../../src/errors.ts";
import type { MemberBatch, OwnerBatch } from "./protocol.ts";

/** How a client reaches its owner. */
export interface OwnerLink {
  /** Sends calls; their order is kept. `answered`: all calls up to this id have been answered. */
  send(batch: MemberBatch, answered: number): void;
  /** Whether calls are waiting for an answer: the process must not end meanwhile. */
  waiting(on: boolean): void;
  /** Closes the owner, or this client's part in it, after what was sent before. */
  close(): Promise<void>;
}

/** A link as whoever looks for owners has it. */
export interface HeldLink extends OwnerLink {
  /**
   * Lets go of the owner, or ends it, as quickly as can be: this context is put aside. Answers that come meanwhile still
   * count; what was not answered is in doubt.
   */
  letGo(): Promise<void>;
}

/** Who is told what comes over a link. */
export interface LinkListener {
  receive(batch: OwnerBatch): void;
  /**
   * The link has ended. With `mayRepeat`, the next owner knows which calls took effect: what was not answered can be
   * sent to it again.
   */
  lost(cause: unknown, mayRepeat: boolean): void;
  /** The owner lives and does not answer; `error` is for whoever waits. */
  unresponsive(error: StemError): void;
}
