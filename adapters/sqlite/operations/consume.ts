import type { ConsumerSettings, Operation } from "./operation.ts";
import { giveBack, type DeliveryRef } from "./settle.ts";

export interface ConsumeArgs extends ConsumerSettings {
  readonly subscription: number;
}

export interface CancelArgs {
  readonly subscription: number;
  /** Deliveries that arrived and were not handed out. */
  readonly unseen: readonly DeliveryRef[];
}

/** Adds a consumer; its first claim is at the end of the same transaction. */
export const consume: Operation<ConsumeArgs, void> = {
  kind: "read",
  run(scope, { subscription, ...settings }) {
    const ref = { member: scope.member, subscription };
    scope.events.addConsumer(ref, settings);
  },
};

/** Ends a consumer: no delivery follows the reply. What it had not handed out goes back, uncounted. */
export const cancel: Operation<CancelArgs, void> = {
  kind: "steps",
  run(scope, { subscription, unseen }) {
    giveBack.run(scope, unseen);
    const ref = { member: scope.member, subscription };
    // At once: the claims at the end of this transaction must not go to a consumer that has left.
    scope.events.removeConsumer(ref);
  },
};
