// Works on a queue at random until something ends the page. `tell` is the test's: each step is with it before the next.
import { createEnvelope, SqliteBroker } from "stem-sqlite";
import { configureBrowser } from "stem-sqlite/browser";
import { indexedDbStorage } from "stem-sqlite/storage/indexeddb";
import { opfsStorage } from "stem-sqlite/storage/opfs";
import { createSeededRandomness } from "stem-sqlite/testing";

const DRIVERS = { indexeddb: indexedDbStorage, opfs: opfsStorage };
const QUEUES = ["left", "right"];
const ENGINE = new URL("/package/dist/package/browser-engine-thread.js", location.href).href;
const { tell } = globalThis;
const engines = [];
let life;
let random;
let settings;
let broker;
let calls = 0;
let isDraining = false;

const below = (limit) => Math.floor(random.number() * limit);
const sleep = (forMs) => new Promise((resolve) => setTimeout(resolve, forMs));

async function saw(record) {
  await tell({ life, n: calls++, record, outcome: "ok" });
}

/** Makes a call; what became of it is told as well. */
async function call(record, run) {
  const n = calls++;
  await tell({ life, n, record });
  try {
    await run();
    await tell({ life, n, outcome: "ok" });
  } catch (error) {
    await tell({
      life,
      n,
      outcome: error.outcome === "not-applied" ? "fail" : "info",
      code: error.code ?? String(error),
    });
  }
}

function configure() {
  const lines = [
    `import ${JSON.stringify(ENGINE)};`,
    'addEventListener("message", ({ data }) => { while (data === "hang"); });',
  ];
  const url = URL.createObjectURL(new Blob(lines, { type: "text/javascript" }));
  const createWorker = () => {
    engines.unshift(new Worker(url, { type: "module" }));
    return engines[0];
  };
  configureBrowser({ createWorker });
}

async function open() {
  const { database, storage, leaseMs, maxDeliveries, engineTimeout } = settings;
  for (;;) {
    try {
      return await SqliteBroker.open(database, {
        storage: DRIVERS[storage](),
        engineTimeout,
        defaultVisibilityTimeout: leaseMs,
        maxDeliveries,
        logger: { log: () => undefined },
      });
    } catch (error) {
      await tell({ life, complaint: `open ${error.code ?? error}` });
      if (error.retryable !== true) throw error;
      await sleep(50);
    }
  }
}

async function publish() {
  for (let number = 0; !isDraining; number++) {
    const key = `${life}-${number}`;
    const content = `${key}:${"x".repeat(below(200))}`;
    const notBefore = below(10) === 0 ? { notBefore: new Date(Date.now() + below(60)) } : {};
    const envelope = createEnvelope({
      id: key,
      name: "work",
      queue: QUEUES[below(QUEUES.length)],
      priority: below(3),
      args: { content },
      ...notBefore,
    });
    await call({ op: "publish", key, content }, () => broker.publish(envelope));
    await sleep(below(settings.publishPauseMs));
  }
}

async function consume(queues) {
  while (!isDraining) {
    try {
      for await (const delivery of broker.consume({ queues }, { prefetch: 1 + below(4) })) await take(delivery);
    } catch (error) {
      await tell({ life, complaint: `consume ${error.code ?? error}` });
      await sleep(20);
    }
  }
}

async function take(delivery) {
  const { envelope, token, deliveries, leaseMs } = delivery;
  const { id: key, attempt } = envelope;
  await saw({ op: "grant", key, content: String(envelope.args.content), token, attempt, deliveries, leaseMs });
  if (below(10) === 0) {
    await call({ op: "extend", key, token, by: settings.leaseMs }, () =>
      broker.extendLease(delivery, settings.leaseMs),
    );
  }
  if (below(4) === 0) await sleep(below(40));
  const chance = below(100);
  if (chance < 78) await call({ op: "ack", key, token }, () => broker.ack(delivery));
  else if (chance < 88) await call({ op: "nack", key, token }, () => broker.nack(delivery));
  else if (chance < 95) {
    const next = createEnvelope({ ...envelope, attempt: attempt + 1 });
    await call({ op: "retry", key, token, attempt: attempt + 1 }, () => broker.retry(delivery, next));
  } else {
    await call({ op: "deadLetter", key, token }, () => broker.deadLetter(delivery, { reason: "asked for" }));
  }
}

/** The last message has the lowest priority and is due after all others: when it comes, nothing else is there. */
async function drainQueue(queue) {
  const last = createEnvelope({
    id: `last-${queue}`,
    name: "last",
    queue,
    priority: -1,
    notBefore: new Date(Date.now() + settings.leaseMs + 1_000),
  });
  await broker.publish(last);
  for await (const delivery of broker.consume({ queues: [queue] }, { prefetch: 1 })) {
    const { envelope, token, deliveries, leaseMs } = delivery;
    const { id: key, attempt } = envelope;
    if (key === last.id) return broker.ack(delivery);
    await saw({ op: "grant", key, content: String(envelope.args.content), token, attempt, deliveries, leaseMs });
    await call({ op: "ack", key, token }, () => broker.ack(delivery));
  }
}

globalThis.queue = {
  async work(given, seed) {
    settings = given;
    random = createSeededRandomness(seed);
    life = given.life;
    configure();
    await saw({ op: "begin" });
    broker = await open();
    void publish();
    for (const queues of [QUEUES, QUEUES.toReversed()]) void consume(queues);
  },
  life: () => life,
  isOwner: async () => (await broker?.health())?.role === "owner",
  hang: () => engines[0]?.postMessage("hang"),
  async drain(given) {
    isDraining = true;
    settings = given;
    random = createSeededRandomness(1);
    life = "drain";
    await saw({ op: "begin" });
    broker = await open();
    const dead = [];
    let waiting = 0;
    await Promise.all(QUEUES.map(drainQueue));
    for (const queue of QUEUES) {
      waiting += (await broker.pendingCount(queue)) + (await broker.inflightCount(queue));
      for (let offset = 0; offset !== undefined;) {
        const page = await broker.listDeadLetters(queue, { limit: 1_000, offset });
        for (const { envelope, reason, meta } of page.entries) {
          const letter = { key: envelope.id, content: String(envelope.args.content) };
          dead.push(reason === "max-deliveries-exceeded" ? { ...letter, deliveries: Number(meta.deliveries) } : letter);
        }
        offset = page.nextOffset;
      }
    }
    await broker.close();
    return { dead, waiting };
  },
};
