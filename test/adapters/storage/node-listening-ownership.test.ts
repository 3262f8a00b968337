import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ListeningOwnership, type OwnershipLimits } from "../../../adapters/storage/node-listening-ownership.ts";
import { listenAt } from "../../../adapters/storage/node-socket.ts";
import type { PeerChannel } from "../../../src/contracts/storage-driver.ts";
import { TimeoutError } from "../../../src/errors.ts";
import { PeerProbe } from "../../contract/storage-driver/peer-probe.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";

const GREETING = "stm1";
const HELLO = `${GREETING}\x07\0\0\0"hello"`;

describe("the connections of an owner", () => {
  it("are handed over once they greet; one that only looks, or speaks otherwise, is nobody's peer", async () => {
    const { ownership, open } = await owner();
    const peers: PeerChannel[] = [];
    ownership.accept((channel) => peers.push(channel));
    const looking = await open();
    const closed = ended(looking);
    looking.end();
    await closed;
    const stranger = await open();
    stranger.write("GET / HTTP/1.1\r\n\r\n");
    await ended(stranger);
    expect(peers).toEqual([]);
    const split = await open();
    const handedOver = new Promise<PeerChannel>((resolve) => ownership.accept(resolve));
    for (const byte of HELLO) {
      split.write(byte);
      await turns(1);
    }
    expect(await new PeerProbe(await handedOver).received(1)).toEqual(["hello"]);
  });

  it("are closed when their first message is not whole at the deadline, however they dribble", async () => {
    const deadlines: (() => void)[] = [];
    const { ownership, open } = await owner({
      firstMessage: (passed) => {
        deadlines.push(passed);
        return () => void deadlines.splice(deadlines.indexOf(passed), 1);
      },
    });
    const peers: PeerProbe[] = [];
    ownership.accept((channel) => peers.push(new PeerProbe(channel)));
    const silent = await open();
    const dribbling = await open();
    const prompt = await open();
    prompt.write(HELLO);
    for (const byte of HELLO.slice(0, -1)) {
      dribbling.write(byte);
      await turns(1);
    }
    while (peers.length < 2 || deadlines.length !== 2) await turns(1);
    const closed = [ended(silent), ended(dribbling)];
    for (const passed of deadlines) passed();
    await Promise.all(closed);
    const told = peers.filter(({ ends }) => ends.length > 0);
    expect(told.map(({ ends }) => ends)).toEqual([[expect.any(TimeoutError)]]);
    expect(deadlines).toEqual([]);
    expect(peers.find((peer) => peer !== told[0])?.messages).toEqual(["hello"]);
    expect(prompt.destroyed).toBe(false);
  });

  it("are closed at the same deadline while nobody accepts them, and held until then", async () => {
    const deadlines: (() => void)[] = [];
    const firstMessage = (passed: () => void): (() => void) => {
      deadlines.push(passed);
      return () => undefined;
    };
    const { ownership, open } = await owner({ firstMessage });
    const greeted = await open();
    greeted.write(GREETING);
    while (deadlines.length < 1) await turns(1);
    const closed = ended(greeted);
    deadlines[0]?.();
    await closed;
    while ((await connectionsOf(ownership)) > 0) await turns(1);
    const peers: PeerChannel[] = [];
    ownership.accept((channel) => peers.push(channel));
    expect(peers).toEqual([]);
  });

  it("are as many as the limit says, open and held ones together; one more is closed at once", async () => {
    const { ownership, open } = await owner({ connections: 3 });
    const first = await open();
    for (const socket of [first, await open(), await open()]) socket.write(GREETING);
    await ended(await open());
    const left = ended(first);
    first.end();
    await left;
    while ((await connectionsOf(ownership)) === 3) await turns(1);
    const last = await open();
    last.write(HELLO);
    const heard: unknown[] = [];
    await new Promise<void>((resolve) => {
      const onMessage = (message: unknown): void => {
        heard.push(message);
        resolve();
      };
      ownership.accept((channel) => channel.listen({ onMessage, onClose: () => undefined }));
    });
    expect(heard).toEqual(["hello"]);
  });

  it("are all closed by the release, those that never greeted and those nobody accepted too", async () => {
    const { ownership, open } = await owner();
    const sockets = [await open(), await open()];
    sockets[0]?.write(HELLO);
    await turns(10);
    await Promise.all([...sockets.map(ended), ownership.release()]);
    expect(ownership.isInPlace()).toBe(false);
  });

  it("still get what was said to them in the turn of the release", async () => {
    const { ownership, open } = await owner();
    const handedOver = new Promise<PeerChannel>((resolve) => ownership.accept(resolve));
    const socket = await open();
    socket.write(HELLO);
    (await handedOver).send("bye");
    await ownership.release();
    const [bytes] = (await once(socket, "data")) as [Buffer];
    expect(bytes.toString("latin1")).toBe('\x05\0\0\0"bye"');
  });
});

interface Owner {
  readonly ownership: ListeningOwnership;
  /** Connects, and resolves when connected. */
  open(): Promise<Socket>;
}

const servers = new WeakMap<ListeningOwnership, ReturnType<typeof createServer>>();

/** An owner whose deadline never passes, unless `limits` has another. */
async function owner(limits: OwnershipLimits = {}): Promise<Owner> {
  const path = join(useTempDirectory(), "socket");
  const server = createServer();
  await listenAt(server, path);
  const place = { path: "db", isInPlace: () => true, leave: () => undefined };
  const ownership = new ListeningOwnership(server, place, { firstMessage: () => () => undefined, ...limits });
  servers.set(ownership, server);
  onTestFinished(() => ownership.release());
  const open = async (): Promise<Socket> => {
    const socket = connect(path);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    socket.on("error", () => undefined);
    return socket;
  };
  return { ownership, open };
}

function connectionsOf(ownership: ListeningOwnership): Promise<number> {
  return new Promise((resolve, reject) => {
    servers.get(ownership)?.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

async function ended(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
