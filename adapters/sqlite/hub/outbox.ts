import type { ErrorDescription } from "../../../src/error-transfer.ts";
import type { SubscriptionRef } from "../operations/operation.ts";
import type { OwnerBatch, Push, Reply } from "./protocol.ts";

/** Collects what one commit means for each member, so that each gets one message. */
export class Outbox {
  readonly #members = new Map<number, (batch: OwnerBatch) => void>();
  #batches = new Map<number, { replies: Reply[]; pushes: Push[] }>();

  addMember(member: number, deliver: (batch: OwnerBatch) => void): void {
    this.#members.set(member, deliver);
  }

  removeMember(member: number): void {
    this.#members.delete(member);
    this.#batches.delete(member);
  }

  reply(member: number, reply: Reply): void {
    this.#batchFor(member).replies.push(reply);
  }

  push({ member, subscription }: SubscriptionRef, events: readonly unknown[]): void {
    this.#batchFor(member).pushes.push([subscription, events]);
  }

  /** Sends everything collected. */
  send(): void {
    if (this.#batches.size === 0) return;
    const batches = this.#batches;
    this.#batches = new Map();
    for (const [member, batch] of batches) this.#members.get(member)?.(batch);
  }

  /** Sends everything collected, and to every member that nothing will follow. */
  sendLast(broken: ErrorDescription): void {
    for (const member of this.#members.keys()) this.#batchFor(member);
    const batches = this.#batches;
    this.#batches = new Map();
    for (const [member, batch] of batches) this.#members.get(member)?.({ ...batch, broken });
  }

  #batchFor(member: number): { replies: Reply[]; pushes: Push[] } {
    let batch = this.#batches.get(member);
    if (batch === undefined) this.#batches.set(member, (batch = { replies: [], pushes: [] }));
    return batch;
  }
}
