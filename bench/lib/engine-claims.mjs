// The claim as the engine's thread runs it, timed there: a transaction that finds one message, leases it and commits,
// with `synchronous=OFF` so that no flush is in the figure. Messages, threads and promises are not in it either.
//
// This reaches behind the package's exports on purpose: no user can see this figure alone. Everything else in this
// folder uses the package by its name.
const built = new URL("../../dist/adapters/", import.meta.url);
const load = (path) => import(new URL(path, built).href);

/** Claims one message after the other, as a consumer of three queues with prefetch 1, and returns milliseconds each. */
export async function measureEngineClaims(file, { warmup, claims }) {
  const [
    { openDatabase },
    { inTransaction },
    { Consumers },
    { TokenSource },
    { ACK_JOB, REQUEUE_JOB },
    { nodeEngineHost },
    { nodeStorage },
  ] = await Promise.all([
    load("sqlite/database/open-database.js"),
    load("sqlite/database/transaction.js"),
    load("sqlite/hub/consumers.js"),
    load("sqlite/hub/tokens.js"),
    load("sqlite/sql/queue-jobs.js"),
    load("entry/node-platform.js"),
    load("storage/node.js"),
  ]);
  const driver = nodeStorage();
  const { lease } = await driver.acquire(driver.identify(file));
  const { database } = await openDatabase(nodeEngineHost, lease, {
    synchronous: "off",
    now: () => Date.now(),
    randomBytes: (into) => crypto.getRandomValues(into),
  });
  const consumers = new Consumers();
  const tokens = new TokenSource();
  inTransaction(database, () => tokens.raiseEpoch(database, Date.now()));
  consumers.add({ member: 1, subscription: 1 }, SETTINGS);
  const samples = [];
  for (let i = 0; i < warmup + claims; i += 1) {
    const now = Date.now();
    const scope = { sql: database, now, nextToken: () => tokens.next(database, now) };
    const start = performance.now();
    const [claim] = inTransaction(database, () => consumers.claim(scope));
    const ms = performance.now() - start;
    const [{ seq, token }] = claim.deliveries;
    if (i >= warmup) samples.push(ms);
    // What only warms up is given back, so that a small backlog is not used up by it.
    const settle = i >= warmup ? [ACK_JOB, { seq, token }] : [REQUEUE_JOB, { seq, token, refund: 1 }];
    inTransaction(database, () => database.run(...settle));
    consumers.settled(token);
    consumers.committed();
  }
  database.close();
  await lease.release();
  return samples;
}

const SETTINGS = {
  namespace: "stem",
  queues: ["alpha", "beta", "gamma"],
  channels: [],
  prefetch: 1,
  consumerName: "bench",
  defaultVisibilityTimeout: 30_000,
  maxDeliveries: 5,
  pollInterval: 250,
};
