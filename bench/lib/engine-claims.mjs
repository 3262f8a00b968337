// The claim by itself: a transaction that finds one message, leases it and commits, on real files whose flush does
// nothing, in an engine in this thread. No flush and no other thread is in the figure.
import { loadNodeStorage, silentLogger, SqliteBroker } from "./stem-sqlite.mjs";

/** Bound copies of `names` of `object`, which may be a class instance with private state. */
function delegate(object, names) {
  return Object.fromEntries(
    names.filter((name) => object[name] !== undefined).map((name) => [name, (...args) => object[name](...args)]),
  );
}

function withoutFlush(file) {
  return { ...delegate(file, ["read", "write", "truncate", "size", "close"]), flush: () => {} };
}

/**
 * The driver for files, without flushes. `last` is kept up with when the last shared transaction began and ended: the
 * owner verifies its lease before, and asks for durability after.
 */
async function driverWithoutFlush(last) {
  const driver = (await loadNodeStorage())();
  const wrap = (lease) => ({
    ...delegate(lease, ["exists", "delete", "adoptLogs", "release"]),
    path: lease.path,
    open: (name) => withoutFlush(lease.open(name)),
    verify() {
      lease.verify();
      last.began = performance.now();
    },
    durable() {
      last.ended = performance.now();
      return lease.durable();
    },
  });
  return {
    ...driver,
    async acquire(database) {
      const acquisition = await driver.acquire(database);
      return acquisition.role === "owner" ? { ...acquisition, lease: wrap(acquisition.lease) } : acquisition;
    },
  };
}

/**
 * Claims one message after the other and returns milliseconds each, from before the claiming transaction begins until
 * it is committed. Each claim is the first of a new consumer of `queues`, prefetch 1: a
 * consumer's first claim has a transaction for itself. What only warms up is given back.
 */
export async function measureEngineClaims(file, { queues, warmup, claims }) {
  const last = { began: 0, ended: 0 };
  const storage = await driverWithoutFlush(last);
  const broker = await SqliteBroker.open(file, { engine: "inline", storage, logger: silentLogger });
  const samples = [];
  for (let i = 0; i < warmup + claims; i += 1) {
    const consumer = broker.consume({ queues }, { prefetch: 1 });
    const { value: delivery } = await consumer.next();
    if (i >= warmup) samples.push(last.ended - last.began);
    await consumer.return();
    if (i >= warmup) await broker.ack(delivery);
    else await broker.nack(delivery, { countsAsDelivery: false });
  }
  await broker.close();
  return samples;
}
