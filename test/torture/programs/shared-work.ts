// One of several processes on one file: publishes, consumes and ends deliveries at random until a signal ends it, and
// logs all of it. SIGTERM closes; everything else that ends it is somebody else's doing, or its own `process.exit`.
// Arguments: the database, the log, the name of this process, a seed, and settings as JSON.
import { setTimeout as sleep } from "node:timers/promises";
import { broadcastRoute, createEnvelope, type Delivery, SqliteBroker } from "stem-sqlite";
import { createSeededRandomness } from "stem-sqlite/testing";
import { HistoryLog, microseconds } from "../../support/queue-history/history-log.ts";
import { CHANNEL, QUEUES, type SharedWorkSettings } from "../../support/queue-history/shared-work-settings.ts";

const [file = "", logFile = "", name = "", seed = "1", settingsText = "{}"] = process.argv.slice(2);
const settings = JSON.parse(settingsText) as SharedWorkSettings;
const random = createSeededRandomness(Number(seed));
const log = new HistoryLog(logFile, name);
let isClosing = false;
let published = 0;

/** After a longer silence of its own loop the process may have been taken for gone. */
const BEAT_MS = 100;
const LONG_SILENCE_MS = 500;

function below(limit: number): number {
  return Math.floor(random.number() * limit);
}

function watchOwnSilence(): void {
  let last = microseconds();
  setInterval(() => {
    const now = microseconds();
    if (now - last > LONG_SILENCE_MS * 1_000) log.saw({ op: "pause" }, last, now);
    last = now;
  }, BEAT_MS).unref();
}

async function open(): Promise<SqliteBroker> {
  for (;;) {
    try {
      return await SqliteBroker.open(file, {
        ownerTimeout: settings.ownerTimeout,
        defaultVisibilityTimeout: settings.leaseMs,
        maxDeliveries: settings.maxDeliveries,
        logger: { log: () => undefined },
      });
    } catch (error) {
      const { code, retryable } = error as Readonly<{ code?: string; retryable?: boolean }>;
      console.log(`refused ${code}`);
      if (retryable !== true) throw error;
      await sleep(50);
    }
  }
}

async function publishOn(broker: SqliteBroker): Promise<void> {
  while (!isClosing) {
    const key = `${name}-${published++}`;
    if (below(8) === 0) {
      const envelope = createEnvelope({ id: key, name: "news" });
      const routing = broadcastRoute(CHANNEL);
      await log.call({ op: "broadcast", key, channel: CHANNEL }, () => broker.publish(envelope, { routing }));
    } else {
      const content = `${key}:${"x".repeat(below(20) === 0 ? 6_000 : below(200))}`;
      const notBefore = below(10) === 0 ? { notBefore: new Date(Date.now() + below(60)) } : {};
      const queue = QUEUES[below(QUEUES.length)] ?? "left";
      const envelope = createEnvelope({
        id: key,
        name: "work",
        queue,
        priority: below(3),
        args: { content },
        ...notBefore,
      });
      await log.call({ op: "publish", key, content }, () => broker.publish(envelope));
    }
    await sleep(below(settings.publishPauseMs));
  }
}

/** A consumer that failed is replaced: its owner may have been silent. */
async function consumeFrom(broker: SqliteBroker, queues: readonly string[]): Promise<void> {
  while (!isClosing) {
    try {
      for await (const delivery of broker.consume({ queues }, { prefetch: 1 + below(4) })) await take(broker, delivery);
    } catch (error) {
      console.log(`consumer ${(error as { code?: string }).code ?? String(error)}`);
      await sleep(20);
    }
  }
}

async function take(broker: SqliteBroker, delivery: Delivery): Promise<void> {
  const { envelope, token, deliveries, leaseMs } = delivery;
  const { id: key, attempt } = envelope;
  const content = String(envelope.args["content"]);
  log.saw({ op: "grant", key, content, token, attempt, deliveries, leaseMs });
  if (below(settings.exitOnceIn) === 0) {
    log.saw({ op: "end" });
    process.exit(3);
  }
  if (below(10) === 0) {
    await log.call({ op: "extend", key, token, by: settings.leaseMs }, () =>
      broker.extendLease(delivery, settings.leaseMs),
    );
  }
  if (below(4) === 0) await sleep(below(40));
  const chance = below(100);
  if (chance < 78) await log.call({ op: "ack", key, token }, () => broker.ack(delivery));
  else if (chance < 88) await log.call({ op: "nack", key, token }, () => broker.nack(delivery));
  else if (chance < 95) {
    const next = createEnvelope({ ...envelope, attempt: attempt + 1 });
    await log.call({ op: "retry", key, token, attempt: attempt + 1 }, () => broker.retry(delivery, next));
  } else {
    await log.call({ op: "deadLetter", key, token }, () => broker.deadLetter(delivery, { reason: "asked for" }));
  }
}

async function listenOn(broker: SqliteBroker): Promise<void> {
  const onGap = ({ missed }: Readonly<{ missed: number }>): void => log.saw({ op: "gap", channel: CHANNEL, missed });
  try {
    for await (const { envelope, sequence = 0 } of broker.consume({ broadcastChannels: [CHANNEL] }, { onGap })) {
      log.saw({ op: "heard", key: envelope.id, channel: CHANNEL, sequence });
    }
  } catch (error) {
    console.log(`listener ${(error as { code?: string }).code ?? String(error)}`);
  }
}

log.saw({ op: "begin" });
watchOwnSilence();
const broker = await open();
console.log("open");
process.once("SIGTERM", () => {
  isClosing = true;
  log.saw({ op: "end" });
  broker.close().then(
    () => process.exit(0),
    (error: unknown) => {
      const code = (error as { code?: string }).code ?? String(error);
      console.log(`close ${code}`);
      // The owner is paused: it cannot be told, and sees it when the connection ends.
      if (code === "STEM_OWNER_UNRESPONSIVE") process.exit(0);
      process.exit(4);
    },
  );
});
await Promise.all([
  publishOn(broker),
  publishOn(broker),
  consumeFrom(broker, QUEUES),
  consumeFrom(broker, [...QUEUES].reverse()),
  listenOn(broker),
]);
