import { checkDuration, MAX_DURATION_MS } from "../../../src/core/duration.ts";
import { checkInteger, checkText } from "../../../src/core/options.ts";
import { InvalidOptionError } from "../../../src/errors.ts";
import { LAST_SEQUENCE, PUT_SESSION } from "../sql/hub.ts";
import { FIND_LEASE } from "../sql/queue-jobs.ts";
import type { ConsumerSettings, Operation, OperationScope, StoredLease, SubscriptionRef } from "./operation.ts";
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
  /** Greatest token that arrived. What an earlier owner claimed after it goes back, too. */
  readonly after?: number;
}

/**
 * Adds a consumer, or the same one again at a new owner; its first claim is at the end of the same transaction. Returns
 * the number of the last broadcast of each of its channels, in their order.
 */
export const consume: Operation<ConsumeArgs, number[]> = {
  kind: "steps",
  isRepeatable: true,
  run(scope, args) {
    checkConsume(args);
    const { subscription, after = 0, ...settings } = args;
    const ref = { member: scope.member.id, subscription };
    const { session, remote, context } = scope.member;
    scope.events.addConsumer(ref, session, settings);
    // Without its context's name, nobody could tell that a member in this one has ended with its owner.
    if (remote || context !== "") scope.sql.run(PUT_SESSION, { session, context, now: scope.now });
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
  run(scope, { subscription, unseen, after = Number.POSITIVE_INFINITY }) {
    const inherited = scope.events.inheritedBy(scope.member.session, subscription);
    giveBack.run(scope, [...unseen, ...inherited.filter(({ token }) => token > after).map(toRef)]);
    const ref = { member: scope.member.id, subscription };
    // At once: the claims at the end of this transaction must not go to a consumer that has left.
    scope.events.removeConsumer(ref);
  },
};

/** Before any effect: a consumer the owner cannot serve would fail the transactions of everybody, again and again. */
function checkConsume(args: ConsumeArgs): void {
  const count = { min: 1, max: Number.MAX_SAFE_INTEGER };
  checkInteger("subscription", args.subscription, count);
  for (const name of ["namespace", "consumerName"] as const) checkText(name, args[name]);
  for (const name of ["queues", "channels"] as const) {
    const names: unknown = args[name];
    if (!Array.isArray(names)) throw new InvalidOptionError(name, names, "an array of names");
    for (const each of names) checkText(name, each);
  }
  for (const name of ["prefetch", "maxDeliveries"] as const) checkInteger(name, args[name], count);
  checkInteger("defaultVisibilityTimeout", args.defaultVisibilityTimeout, { min: 1, max: MAX_DURATION_MS });
  checkDuration("pollInterval", args.pollInterval, { min: 1 });
}

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
      unseen.push(toRef(lease));
      continue;
    }
    const until = scope.sql.get<{ leaseUntil: number }>(FIND_LEASE, { seq, token })?.leaseUntil;
    if (until !== undefined) scope.events.adopt(ref, { ...lease, until });
  }
  giveBack.run(scope, unseen);
}

function toRef({ seq, token, queue }: StoredLease): DeliveryRef {
  return { seq, token, id: "", queue };
}
