import type { DeliveryRef } from "../../adapters/sqlite/operations/settle.ts";
import { type DatabaseContent, tablesOf } from "./history-content.ts";

/** A message that was published and not ended since. */
export interface LiveMessage {
  readonly namespace: string;
  readonly id: string;
  readonly queue: string;
}

/** A delivery that the workload holds. */
export interface HeldDelivery extends DeliveryRef {
  readonly namespace: string;
  readonly envelope: string;
  readonly subscription: number;
}

/**
 * What acknowledged calls must have left behind, kept apart from the database: no message is lost, none is invented,
 * and none is both queued and dead.
 */
export class WorkloadModel {
  readonly live = new Map<string, LiveMessage>();
  readonly held: HeldDelivery[] = [];

  published(message: LiveMessage): void {
    this.live.set(keyOf(message.namespace, message.id), message);
  }

  ended(namespace: string, id: string): void {
    this.live.delete(keyOf(namespace, id));
  }

  /** Forgets the messages of a queue that are not there any more, and returns how many: what a purge did. */
  forgetMissing(content: DatabaseContent, namespace: string, queue?: string): number {
    const stored = storedMessages(content);
    let forgotten = 0;
    for (const [key, message] of this.live) {
      if (message.namespace !== namespace || (queue !== undefined && message.queue !== queue)) continue;
      if (stored.has(key)) continue;
      this.live.delete(key);
      forgotten += 1;
    }
    return forgotten;
  }

  /** What is wrong with a content, by the acknowledgements; `undefined` when nothing is. */
  objection(content: DatabaseContent): string | undefined {
    const stored = storedMessages(content);
    const lost = [...this.live.keys()].filter((key) => !stored.has(key));
    const invented = [...stored.keys()].filter((key) => !this.live.has(key));
    const doubled = [...stored].filter(([, places]) => places.length > 1).map(([key]) => key);
    if (lost.length + invented.length + doubled.length === 0) return undefined;
    return JSON.stringify({ lost, invented, doubled });
  }
}

function keyOf(namespace: string, id: string): string {
  return `${namespace}/${id}`;
}

function storedMessages(content: DatabaseContent): Map<string, string[]> {
  const tables = tablesOf(content);
  const stored = new Map<string, string[]>();
  for (const table of ["queue_jobs", "dead_letters"]) {
    for (const row of tables[table] ?? []) {
      const key = keyOf(String(row["namespace"]), String(row["id"]));
      stored.set(key, [...(stored.get(key) ?? []), table]);
    }
  }
  return stored;
}
