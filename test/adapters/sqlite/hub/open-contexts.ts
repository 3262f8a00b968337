import { onTestFinished } from "vitest";
import {
  SqliteBroker,
  SqliteDatabase,
  SqliteResultBackend,
  SqliteRevokeStore,
} from "../../../../adapters/entry/node.ts";
import { nodePlatform } from "../../../../adapters/entry/node-platform.ts";
import { installPlatform } from "../../../../adapters/sqlite/platform.ts";
import type { SqliteBrokerOptions } from "../../../../adapters/sqlite/sqlite-broker-options.ts";
import type { SuspensionListener } from "../../../../src/contracts/platform.ts";
import { OwnershipLostError } from "../../../../src/errors.ts";
import { memoryStorage } from "../../../../adapters/storage/memory.ts";
import type {
  PeerChannel,
  StorageDriver,
  StorageLease,
  StoragePeer,
} from "../../../../src/contracts/storage-driver.ts";
import { createSeededRandomness, FakeClock, RecordingLogger } from "../../../../src/testing/index.ts";

/** A context with stores of its own, as another process has them, except that the test can do things to it. */
export interface TestContext {
  readonly logger: RecordingLogger;
  broker(options?: SqliteBrokerOptions): Promise<SqliteBroker>;
  backend(): Promise<SqliteResultBackend>;
  revokeStore(): Promise<SqliteRevokeStore>;
  database(): Promise<SqliteDatabase>;
  /** Ends the context as SIGKILL does: its lock is free, its lines are cut, nothing is closed. */
  kill(): Promise<void>;
  /** From now on nothing that the owner says arrives here. */
  deafen(): void;
  /** What it says is held back until the returned function is called, as while its process is paused. */
  pause(): () => void;
  /** Puts it aside, as a browser does with a page, until the returned function is called. */
  putAside(): () => void;
  /** Its ownership is found to be lost, as after its lock was taken away, once. */
  loseOwnership(): void;
  readonly isOwner: boolean;
}

export interface TestContexts {
  readonly clock: FakeClock;
  add(): TestContext;
}

/** Contexts on one memory and one clock. */
export function openContexts(): TestContexts {
  const clock = new FakeClock();
  const storage = memoryStorage();
  const ended = new Set<string>();
  let seed = 0;
  return { clock, add: () => addContext(storage, clock, ++seed, ended) };
}

const FILE = "jobs.sqlite";

function addContext(storage: StorageDriver, clock: FakeClock, seed: number, ended: Set<string>): TestContext {
  const contextId = `context-${seed}`;
  // The platform is asked while a store is being opened.
  const enter = (): void =>
    installPlatform({
      ...nodePlatform,
      contextId,
      repeatsCalls: true,
      hasEnded: (id) => ended.has(id),
      enter: async () => ({
        id: contextId,
        watch: (listener) => void suspensions.push(listener),
        leave: () => undefined,
      }),
    });
  const suspensions: SuspensionListener[] = [];
  const logger = new RecordingLogger();
  const channels = new Set<PeerChannel>();
  let lease: StorageLease | undefined;
  let isDead = false;
  let isRobbed = false;
  let isDeaf = false;
  let held: (() => void)[] | undefined;
  /** Set while the context is paused. */
  let resumed: Promise<void> | undefined;

  const tap = (channel: PeerChannel): PeerChannel => {
    const tapped: PeerChannel = {
      send: (message) => {
        if (held === undefined) channel.send(message);
        else held.push(() => channel.send(message));
      },
      keepAlive: (on) => channel.keepAlive(on),
      close: () => channel.close(),
      listen: ({ onMessage, onClose }) =>
        channel.listen({
          onMessage: (message) => {
            if (!isDeaf && !isDead) onMessage(message);
          },
          onClose: (cause) => {
            channels.delete(tapped);
            isDeaf = false;
            if (!isDead) onClose(cause);
          },
        }),
    };
    channels.add(tapped);
    return tapped;
  };
  const tapPeer = (peer: StoragePeer): StoragePeer => ({
    description: peer.description,
    connect: async () => {
      const channel = await peer.connect();
      return channel === undefined ? undefined : tap(channel);
    },
  });
  const checkAlive = async (): Promise<void> => {
    await resumed;
    if (isDead) throw new Error("This context was killed.");
  };
  const driver: StorageDriver = {
    ...storage,
    async acquire(database) {
      await checkAlive();
      const acquisition = await storage.acquire(database);
      if (acquisition.role === "member") return { role: "member", peer: tapPeer(acquisition.peer) };
      const { lease: acquired } = acquisition;
      lease = new Proxy(acquired, {
        get(target, name) {
          if (name === "verify" && isRobbed) {
            isRobbed = false;
            return () => {
              throw new OwnershipLostError(FILE, "its lock was taken away");
            };
          }
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
      return { role: "owner", lease };
    },
    async meet(database) {
      await checkAlive();
      const peer = await storage.meet?.(database);
      return peer === undefined ? undefined : tapPeer(peer);
    },
  };
  const options = {
    storage: driver,
    clock,
    logger,
    randomness: createSeededRandomness(seed),
    engine: "inline",
  } as const;
  const opened: AsyncDisposable[] = [];
  onTestFinished(async () => {
    // What a test killed cannot be closed any more.
    await Promise.allSettled(isDead ? [] : opened.map((store) => store[Symbol.asyncDispose]()));
  });
  const keep = <T extends AsyncDisposable>(store: T): T => {
    opened.push(store);
    return store;
  };
  return {
    logger,
    broker: async (own) => {
      enter();
      return keep(await SqliteBroker.open(FILE, { ...options, pollInterval: 1e9, ...own }));
    },
    backend: async () => {
      enter();
      return keep(await SqliteResultBackend.open(FILE, options));
    },
    revokeStore: async () => {
      enter();
      return keep(await SqliteRevokeStore.open(FILE, options));
    },
    database: async () => {
      enter();
      return keep(await SqliteDatabase.open(FILE, options));
    },
    async kill() {
      isDead = true;
      ended.add(contextId);
      for (const channel of channels) channel.close();
      await lease?.release();
    },
    deafen: () => void (isDeaf = true),
    pause() {
      held ??= [];
      let resume!: () => void;
      resumed = new Promise((done) => (resume = done));
      return () => {
        const messages = held ?? [];
        held = undefined;
        resumed = undefined;
        for (const send of messages) send();
        resume();
      };
    },
    putAside() {
      for (const listener of suspensions) listener.suspend();
      ended.add(contextId);
      return () => {
        ended.delete(contextId);
        for (const listener of suspensions) listener.resume();
      };
    },
    loseOwnership: () => void (isRobbed = true),
    get isOwner() {
      return lease !== undefined;
    },
  };
}
