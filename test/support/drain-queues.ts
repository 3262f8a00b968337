import { join } from "node:path";
import { SqliteBroker } from "../../adapters/entry/node.ts";
import { createEnvelope } from "../../src/index.ts";
import type { ProcessCrowd } from "./process-crowd.ts";
import { HistoryLog, readHistoryLog } from "./queue-history/history-log.ts";
import type { QueueEnd, QueueRecord } from "./queue-history/history-record.ts";
import { QUEUES } from "./queue-history/shared-work-settings.ts";

/** Longer than any message waits for its time, or the lease of a process that is gone for its return. */
const LAST_AFTER_MS = 3_000;

/** Takes and acknowledges everything that is left in the queues, logging it, and reads what remains. */
async function drainQueues(broker: SqliteBroker, queues: readonly string[], log: HistoryLog): Promise<QueueEnd> {
  const dead: QueueEnd["dead"][number][] = [];
  let waiting = 0;
  for (const queue of queues) {
    await drainQueue(broker, queue, log);
    waiting += (await broker.pendingCount(queue)) + (await broker.inflightCount(queue));
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const page = await broker.listDeadLetters(queue, { limit: 1_000, offset });
      for (const { envelope, reason, meta } of page.entries) {
        const letter = { key: envelope.id, content: String(envelope.args["content"]) };
        dead.push(
          reason === "max-deliveries-exceeded" ? { ...letter, deliveries: Number(meta["deliveries"]) } : letter,
        );
      }
      offset = page.nextOffset;
    }
  }
  return { dead, waiting };
}

/** Drains what a crowd left, and gives its whole history with what was found. */
export async function drainCrowd(
  crowd: ProcessCrowd,
  folder: string,
  maxDeliveries: number,
): Promise<{ history: readonly QueueRecord[]; end: QueueEnd }> {
  const file = join(folder, "drain.log");
  const log = new HistoryLog(file, "drain");
  log.saw({ op: "begin" });
  const broker = await SqliteBroker.open(crowd.file, { maxDeliveries });
  const end = await drainQueues(broker, QUEUES, log);
  await broker.close();
  log.close();
  return { history: [...crowd.history(), ...readHistoryLog(file)], end };
}

/** The last message has the lowest priority and is due after all others: when it comes, nothing else is there. */
async function drainQueue(broker: SqliteBroker, queue: string, log: HistoryLog): Promise<void> {
  const last = createEnvelope({
    name: "last",
    queue,
    priority: -1,
    notBefore: new Date(Date.now() + LAST_AFTER_MS),
    id: `last-${queue}`,
  });
  await broker.publish(last);
  for await (const delivery of broker.consume({ queues: [queue] }, { prefetch: 1 })) {
    const { envelope, token, deliveries, leaseMs } = delivery;
    const { id: key, attempt, args } = envelope;
    if (key === last.id) {
      await broker.ack(delivery);
      return;
    }
    log.saw({ op: "grant", key, content: String(args["content"]), token, attempt, deliveries, leaseMs });
    await log.call({ op: "ack", key, token }, () => broker.ack(delivery));
  }
}
