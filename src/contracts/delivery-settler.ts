import type { Envelope } from "../core/envelope.ts";
import type { JsonObject } from "../core/json.ts";
import type { Delivery } from "./broker.ts";
import type { StatusWrite } from "./result-backend.ts";

/** How the delivery itself ends. */
export type DeliveryEnd =
  | { readonly kind: "ack" }
  | { readonly kind: "retry"; readonly next: Envelope }
  | { readonly kind: "dead-letter"; readonly reason: string; readonly meta?: JsonObject };

/** Everything that the end of one run of a task stores. */
export interface DeliveryOutcome {
  readonly end: DeliveryEnd;
  readonly status: StatusWrite;
  /** Group that this task's terminal status is a member result of. */
  readonly groupId?: string;
  /** Messages to publish with it, such as links. An id already stored is left as it is. */
  readonly publish?: readonly Envelope[];
  /**
   * Statuses `queued` of messages in `publish`, stored with them as far as none is there. Where one says that its task
   * has begun, the message was published before, and is left out.
   */
  readonly queued?: readonly StatusWrite[];
}

/** Ends deliveries in one transaction over broker and backend. */
export interface DeliverySettler {
  /** All or nothing. Throws `LeaseLostError` when the delivery is no longer current. */
  settle(delivery: Delivery, outcome: DeliveryOutcome): Promise<void>;
}
