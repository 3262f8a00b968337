import type { ErrorDescription } from "../../../src/error-transfer.ts";

/** One operation for the owner: `[id, name, arguments]`. Tuples, since what crosses a thread is copied key by key. */
export type Call = readonly [id: number, operation: string, args: unknown];

/** Its outcome: `[id, value]`, or `[id, undefined, error]`. */
export type Reply = readonly [id: number, value: unknown, error?: ErrorDescription];

/** Something the owner says unasked to one subscription of a member: deliveries, or a changed status. */
export type Push = readonly [subscription: number, events: readonly unknown[]];

/** All calls a member made in one turn. */
export type MemberBatch = readonly Call[];

/** All that one commit means for a member; replies come before pushes. */
export interface OwnerBatch {
  readonly replies: readonly Reply[];
  readonly pushes: readonly Push[];
  /** The database cannot be used any more, for good. */
  readonly broken?: ErrorDescription;
}
