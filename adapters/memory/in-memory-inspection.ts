import type { InflightPage, PendingPage, QueueSummary } from "../../src/contracts/broker.ts";
import { decodeEnvelope } from "../../src/core/envelope.ts";
import { type PageOptions, resolvePage } from "../../src/core/page-options.ts";
import type { BrokerNamespace } from "./in-memory-broker-store.ts";
import {
  type Instant,
  isAvailable,
  isBefore,
  isLeased,
  leaseEnd,
  readySince,
  type StoredMessage,
} from "./stored-message.ts";

/** What each queue holds, by name. */
export function summarizeQueues(state: BrokerNamespace, at: Instant): readonly QueueSummary[] {
  const live = [...state.messages()].map(({ queue }) => queue);
  const names = new Set([...live, ...state.deadLetters.queues()]);
  return [...names].sort().map((queue) => {
    const messages = state.messagesOf(queue);
    const ready = messages.filter((message) => isAvailable(message, at));
    const leased = messages.filter((message) => isLeased(message, at)).length;
    const delayed = messages.length - ready.length - leased;
    const counts = {
      queue,
      ready: ready.length,
      delayed,
      leased,
      dead: state.deadLetters.list(queue, undefined).length,
    };
    if (ready.length === 0) return counts;
    return { ...counts, oldestReadyAt: new Date(Math.min(...ready.map((message) => readySince(message, at)))) };
  });
}

/** Ready messages in the order of delivery, then delayed ones by the time they fall due. */
export function listPending(messages: readonly StoredMessage[], at: Instant, options?: PageOptions): PendingPage {
  const free = messages.filter((message) => !isLeased(message, at)).toSorted(inOrder);
  const delayed = free
    .filter((message) => !isAvailable(message, at))
    .toSorted((one, other) => one.availableAt - other.availableAt);
  const all = [...free.filter((message) => isAvailable(message, at)), ...delayed];
  return pageOf(all, options, (message) => ({
    envelope: decodeEnvelope(message.text),
    ...(isAvailable(message, at) ? {} : { visibleAt: new Date(message.availableAt) }),
  }));
}

/** Messages under an unexpired lease, the one that ends next first. */
export function listInflight(messages: readonly StoredMessage[], at: Instant, options?: PageOptions): InflightPage {
  const held = messages
    .flatMap((message) =>
      message.lease !== undefined && isLeased(message, at) ? [{ message, lease: message.lease }] : [],
    )
    .toSorted((one, other) => one.lease.endsAt - other.lease.endsAt || one.message.sequence - other.message.sequence);
  return pageOf(held, options, ({ message, lease }) => ({
    envelope: decodeEnvelope(message.text),
    token: lease.token,
    deliveries: message.deliveries,
    leaseExpiresAt: leaseEnd(lease, at),
    leaseMs: lease.lengthMs,
    consumerName: lease.consumerName,
  }));
}

function inOrder(one: StoredMessage, other: StoredMessage): number {
  return isBefore(one, other) ? -1 : 1;
}

function pageOf<Item, Entry>(
  items: readonly Item[],
  options: PageOptions | undefined,
  toEntry: (item: Item) => Entry,
): Readonly<{ entries: readonly Entry[]; nextOffset?: number }> {
  const { limit, offset } = resolvePage(options);
  const end = offset + limit;
  const entries = items.slice(offset, end).map(toEntry);
  return limit > 0 && end < items.length ? { entries, nextOffset: end } : { entries };
}
