// Waits for a line of input, then works on a queue at random until it is killed, and writes every step it takes to
// standard output. Arguments: the folder of the two files, a seed, the number of this life, and `sqljs`
// for the second engine.
import { once } from "node:events";
import { join } from "node:path";
import {
  type Broker,
  createEnvelope,
  type Delivery,
  type Envelope,
  type ResultBackend,
  SqliteBroker,
  SqliteResultBackend,
  StemError,
} from "stem-sqlite";
import { sqlJsEngine } from "stem-sqlite/sqljs";
import { createSeededRandomness } from "stem-sqlite/testing";
import initSqlJs from "sql.js";
import type { Step } from "../../support/total-queue-history.ts";
import { writeLine } from "../../support/write-line.ts";

const QUEUES = ["left", "right"] as const;
/** Published and not delivered yet: enough to keep the consumers busy, few enough to be drained at the end. */
const MAX_BACKLOG = 80;
/** Longer than the whole test: no lease ends by time, so that every new delivery has another reason. */
const LEASE_MS = 3_600_000;

const [folder = ".", seed = "1", life = "0", engine = ""] = process.argv.slice(2);
const connection = engine === "sqljs" ? { sqlEngine: sqlJsEngine({ initSqlJs }) } : {};
const random = createSeededRandomness(Number(seed) * 7919 + Number(life));
let published = 0;
let backlog = 0;
let wakePublishers: (() => void)[] = [];

function say(step: Step): void {
  writeLine(1, JSON.stringify(step));
}

function below(limit: number): number {
  return Math.floor(random.number() * limit);
}

async function tell<T>(
  step: (phase: "asked" | "done" | "failed", more?: object) => Step,
  call: () => Promise<T>,
  read?: (value: T) => object,
): Promise<void> {
  say(step("asked"));
  try {
    const value = await call();
    say(step("done", read?.(value)));
  } catch (error) {
    say(step("failed", { code: error instanceof StemError ? error.code : String(error) }));
  }
}

function anEnvelope(): Envelope {
  const id = `${life}-${published++}`;
  const size = below(20) === 0 ? 6_000 : below(200);
  return createEnvelope({
    id,
    name: "work",
    queue: QUEUES[below(QUEUES.length)] ?? "left",
    priority: below(3),
    args: { body: `${id}:${below(1_000_000)}`, padding: "x".repeat(size) },
    ...(below(10) === 0 ? { notBefore: new Date(Date.now() + below(60)) } : {}),
  });
}

async function publishOn(broker: Broker): Promise<void> {
  for (;;) {
    const envelopes = Array.from({ length: below(4) === 0 ? 2 + below(6) : 1 }, anEnvelope);
    const jobs = envelopes.map(({ id, args }) => ({ id, body: String(args["body"]) }));
    const [only] = envelopes;
    await tell(
      (phase, more) => ({ f: "publish", phase, jobs, ...more }),
      async () => (envelopes.length === 1 && only !== undefined ? broker.publish(only) : broker.publishAll(envelopes)),
    );
    backlog += jobs.length;
    while (backlog > MAX_BACKLOG) await new Promise<void>((resolve) => wakePublishers.push(resolve));
  }
}

function leaveBacklog(): void {
  backlog -= 1;
  const waiting = wakePublishers;
  wakePublishers = [];
  for (const wake of waiting) wake();
}

async function consumeFrom(broker: Broker, backend: ResultBackend, queues: readonly string[]): Promise<void> {
  for await (const delivery of broker.consume({ queues }, { prefetch: 1 + below(4) })) {
    const { envelope, token, deliveries } = delivery;
    const { id, attempt, args } = envelope;
    if (id.startsWith(`${life}-`) && attempt === 0 && deliveries === 1) leaveBacklog();
    say({ f: "deliver", id, body: String(args["body"]), attempt, token, deliveries });
    await end(broker, backend, delivery);
  }
}

async function end(broker: Broker, backend: ResultBackend, delivery: Delivery): Promise<void> {
  const { envelope, token } = delivery;
  const { id, attempt } = envelope;
  const chance = below(100);
  if (chance < 8) {
    await tell(
      (phase, more) => ({ f: "extendLease", phase, id, ...more }),
      () => broker.extendLease(delivery, LEASE_MS),
    );
  }
  if (chance < 70) {
    const value = `${id} at ${token}`;
    await tell(
      (phase, more) => ({ f: "result", phase, id, value, ...more }),
      () => backend.set(id, "succeeded", { payload: value, attempt, fence: token }),
      (stored) => ({ stored }),
    );
    await tell(
      (phase, more) => ({ f: "ack", phase, id, ...more }),
      () => broker.ack(delivery),
    );
  } else if (chance < 82) {
    const next = createEnvelope({ ...envelope, attempt: attempt + 1 });
    await tell(
      (phase, more) => ({ f: "retry", phase, id, attempt: attempt + 1, ...more }),
      () => broker.retry(delivery, next),
    );
  } else if (chance < 92) {
    await tell(
      (phase, more) => ({ f: "requeue", phase, id, ...more }),
      () => broker.nack(delivery, { requeue: true }),
    );
  } else {
    await tell(
      (phase, more) => ({ f: "deadLetter", phase, id, ...more }),
      () => broker.deadLetter(delivery, { reason: "asked for" }),
    );
  }
}

// Until here, nothing has touched the files: the program is loaded while its predecessor still works on them.
await once(process.stdin, "data");
process.stdin.unref();
const [broker, backend] = await Promise.all([
  SqliteBroker.open(join(folder, "broker.sqlite"), {
    ...connection,
    defaultVisibilityTimeout: LEASE_MS,
    maxDeliveries: 1_000_000,
  }),
  SqliteResultBackend.open(join(folder, "backend.sqlite"), connection),
]);
writeLine(1, "ready");
await Promise.all([
  publishOn(broker),
  publishOn(broker),
  consumeFrom(broker, backend, QUEUES),
  consumeFrom(broker, backend, [...QUEUES].reverse()),
  consumeFrom(broker, backend, ["left"]),
]);
