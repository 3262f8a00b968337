import { LAST_SEQUENCE, PUT_SESSION } from "../sql/hub.ts";
import { FIND_LEASE } from "../sql/queue-jobs.ts";
import type { ConsumerSettings, Operation, OperationScope, SubscriptionRef } from "./operation.ts";
import { giveBack, type DeliveryRef } from "./settle.ts";

export interface ConsumeArgs extends ConsumerSettings {
  readonly subscription: number;
  /** Greatest token the consumer was given under an earlier owner. */
  readonly after?: number;
}

export interface CancelArgs {
  readonly subscription: number;
  /** Deliveries that arrived and were not handed out. */
  readonly unseen: readonly DeliveryRef[];
}

/**
 * Adds a consumer, or the same one again at a new owner; its first claim is at the end of the same transaction. Returns
 * the number of the last broadcast of each of its channels, in their order.
 */
export const consume: Operation<ConsumeArgs, number[]> = {
  kind: "steps",
  isRepeatable: true,
  run(scope, { subscription, after = 0, ...settings }) {
    const ref = { member: scope.member.id, subscription };
    const { session, remote } = scope.member;
    scope.events.addConsumer(ref, session, settings);
    if (remote) scope.sql.run(PUT_SESSION, { session, now: scope.now });
    takeOver(scope, ref, after);
    const { namespace, channels } = settings;
    return channels.map(
      (channel) => scope.sql.get<{ sequence: number }>(LAST_SEQUENCE, { namespace, channel })?.sequence ?? 0,
    );
  },
};

/** Ends a consumer: no delivery follows the reply. What it had not handed out goes back, uncounted. */
export const cancel: Operation<CancelArgs, void> = {
  kind: "steps",
  isRepeatable: true,
  run(scope, { subscription, unseen }) {
    giveBack.run(scope, unseen);
    const ref = { member: scope.member.id, subscription };
    // At once: the claims at the end of this transaction must not go to a consumer that has left.
    scope.events.removeConsumer(ref);
  },
};

/**
 * What the consumer holds from the last owner stays its own. Tokens rise and deliveries come in order: those after
 * `after` were claimed for it and never arrived, so they go back, uncounted.
 */
function takeOver(scope: OperationScope, ref: SubscriptionRef, after: number): void {
  const leases = scope.events.inheritedBy(scope.member.session, ref.subscription);
  const unseen: DeliveryRef[] = [];
  for (const lease of leases) {
    const { seq, token } = lease;
    if (token > after) {
      unseen.push({ seq, token, id: "", queue: lease.queue });
      continue;
    }
    const until = scope.sql.get<{ leaseUntil: number }>(FIND_LEASE, { seq, token })?.leaseUntil;
    if (until !== undefined) scope.events.adopt(ref, { ...lease, until });
  }
  giveBack.run(scope, unseen);
}
