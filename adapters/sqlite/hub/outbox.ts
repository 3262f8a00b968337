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
    // A member may have gone before its answer.
    if (this.#members.has(member)) this.#batchFor(member).replies.push(reply);
  }

  push({ member, subscription }: SubscriptionRef, events: readonly unknown[]): void {
    if (this.#members.has(member)) this.#batchFor(member).pushes.push([subscription, events]);
  }

  /** Sends everything collected. */
  send(): void {
    if (this.#batches.size === 0) return;
    const batches = this.#batches;
    this.#batches = new Map();
    // Telling a member takes a while: whoever is given work, or waits for news, comes before those who only ask.
    const inOrder = batches.size > 1 ? [...batches].toSorted(([, a], [, b]) => urgency(b) - urgency(a)) : batches;
    for (const [member, batch] of inOrder) this.#members.get(member)?.(batch);
  }

  /** Sends to these members, and to nobody else, what was collected, and that nothing will follow. */
  sendLast(broken: ErrorDescription, members: ReadonlySet<number>): void {
    const batches = this.#batches;
    this.#batches = new Map();
    for (const member of members) {
      const { replies, pushes } = batches.get(member) ?? { replies: [], pushes: [] };
      this.#members.get(member)?.({ replies, pushes, broken });
    }
  }

  #batchFor(member: number): { replies: Reply[]; pushes: Push[] } {
    let batch = this.#batches.get(member);
    if (batch === undefined) this.#batches.set(member, (batch = { replies: [], pushes: [] }));
    return batch;
  }
}

function urgency({ pushes }: OwnerBatch): number {
  return pushes.length > 0 ? 1 : 0;
}
