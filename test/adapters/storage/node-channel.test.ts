import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { NodeChannel, type NodeChannelOptions } from "../../../adapters/storage/node-channel.ts";
import { type Deadline, platformDeadline } from "../../../adapters/storage/node-deadline.ts";
import { NodePeer } from "../../../adapters/storage/node-peer.ts";
import { PayloadTooLargeError, StorageIoError } from "../../../src/errors.ts";
import { PeerProbe } from "../../contract/storage-driver/peer-probe.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";

describe("a channel over a socket", () => {
  it("sends the messages of one turn as one write", async () => {
    const { own, other } = await channelAndSocket();
    const writes = vi.spyOn(own.socket, "write");
    for (let index = 0; index < 16; index++) own.channel.send({ index });
    expect(writes).not.toHaveBeenCalled();
    await once(other, "data");
    expect(writes).toHaveBeenCalledTimes(1);
    await Promise.resolve();
    own.channel.send("next turn");
    await once(other, "data");
    expect(writes).toHaveBeenCalledTimes(2);
  });

  it("refuses a first message above 64 KiB and a later one above 128 MiB, and goes on", async () => {
    const { own, other } = await channelAndSocket();
    expect(() => own.channel.send("x".repeat(64 * 1024))).toThrow(PayloadTooLargeError);
    own.channel.send("fine");
    expect(() => own.channel.send("x".repeat(128 * 1024 * 1024))).toThrow(PayloadTooLargeError);
    own.channel.send("fine too");
    const [bytes] = (await once(other, "data")) as [Buffer];
    expect(bytes.toString("latin1")).toBe(`stm1${framed('"fine"')}${framed('"fine too"')}`);
  });

  it("is given up when too much waits for a side that does not read", async () => {
    const { own, other } = await channelAndSocket({ unsentLimit: 4_000_000 });
    other.pause();
    const probe = new PeerProbe(own.channel);
    own.channel.send("hello");
    let sent = 0;
    for (; probe.ends.length === 0; sent++) {
      own.channel.send("x".repeat(1_000_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await probe.closed()).toBeInstanceOf(StorageIoError);
    expect(probe.ends).toMatchObject([{ details: { call: "write", osCode: "ENOBUFS" } }]);
    expect(sent).toBeLessThan(10);
  });

  it("is never given up by a member, whose calls would only wait again on the next one", async () => {
    const { own, other } = await channelAndSocket();
    Object.defineProperty(own.socket, "writableLength", { value: 1e12 });
    const channel = await new NodePeer("db", async () => ({ socket: own.socket })).connect();
    channel?.send("hello");
    await once(other, "data");
    expect(own.socket.destroyed).toBe(false);
  });

  it("tells its own side at once that it closed, and waits for the other side no longer than the grace", async () => {
    const clock = fakeDeadline();
    const { own, other } = await channelAndSocket({ lastMessages: clock.deadline });
    other.pause();
    const probe = new PeerProbe(own.channel);
    own.channel.send("hello");
    own.channel.send("x".repeat(20_000_000));
    own.channel.close();
    expect(await probe.closed()).toBeUndefined();
    expect(own.socket.destroyed).toBe(false);
    const closed = once(own.socket, "close");
    clock.pass();
    await closed;
    expect(probe.ends).toEqual([undefined]);
    expect(clock.armed).toBe(0);
  });

  it("does not wait for a side to read that closed", async () => {
    const { own, other } = await channelAndSocket();
    const probe = new PeerProbe(own.channel);
    own.channel.send("hello");
    own.channel.send("x".repeat(20_000_000));
    other.end();
    expect(await probe.closed()).toBeUndefined();
  });

  it("sends everything before it closes when the other side reads", async () => {
    const clock = fakeDeadline();
    const { own, other } = await channelAndSocket({ lastMessages: clock.deadline });
    let arrived = 0;
    other.on("data", (chunk: Buffer) => (arrived += chunk.length));
    own.channel.send("hello");
    own.channel.send("x".repeat(20_000_000));
    own.channel.close();
    await once(other, "end");
    expect(arrived).toBe(4 + 4 + 7 + 4 + 20_000_002);
    expect(clock.armed).toBe(0);
  });

  it("stops reading when much arrives before somebody listens, and loses nothing of it", async () => {
    const { own, other } = await channelAndSocket();
    const content = Buffer.from(JSON.stringify("x".repeat(50_000)));
    const frame = Buffer.concat([Buffer.alloc(4), content]);
    frame.writeUInt32LE(content.length);
    for (let index = 0; index < 200; index++) other.write(frame);
    while (!own.socket.isPaused()) await new Promise((resolve) => setImmediate(resolve));
    expect(own.socket.bytesRead).toBeLessThan(3_000_000);
    expect(await new PeerProbe(own.channel).received(200)).toHaveLength(200);
  });

  it("tells a typed error when the other side speaks another language", async () => {
    const { own, other } = await channelAndSocket();
    const probe = new PeerProbe(own.channel);
    other.write(`${framed('"fine"')}HTTP/1.1 400 Bad Request`);
    expect(await probe.closed()).toMatchObject({ code: "STEM_STORAGE_IO", details: { osCode: "EMSGSIZE" } });
    expect(probe.messages).toEqual(["fine"]);
  });

  it("tells a typed error when the connection breaks, also to one who listens later", async () => {
    const { own } = await channelAndSocket();
    const closed = new Promise((resolve) => own.socket.once("close", resolve));
    own.socket.destroy(Object.assign(new Error("broken"), { code: "ECONNRESET" }));
    await closed;
    const probe = new PeerProbe(own.channel);
    expect(await probe.closed()).toMatchObject({ code: "STEM_STORAGE_IO", details: { osCode: "ECONNRESET" } });
    own.channel.send("nobody hears");
    own.channel.keepAlive(true);
    own.channel.close();
    expect(probe.ends).toHaveLength(1);
  });

  it("ends at once over a socket that was closed before", async () => {
    const { own } = await channelAndSocket();
    own.socket.destroy();
    await once(own.socket, "close");
    expect(await new PeerProbe(new NodeChannel(own.socket, { path: "db" })).closed()).toBeUndefined();
  });
});

describe("a deadline of the platform", () => {
  it("is called one turn after its time, when what had arrived until then was read, unless it was cancelled", async () => {
    const controllers: AbortController[] = [];
    const spy = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => {
      const controller = new AbortController();
      controllers.push(controller);
      return controller.signal;
    });
    onTestFinished(() => spy.mockRestore());
    const deadline = platformDeadline(5000);
    const passed = vi.fn<() => void>();
    const cancelled = vi.fn<() => void>();
    const cancelledLate = vi.fn<() => void>();
    deadline(passed);
    deadline(cancelled)();
    const cancel = deadline(cancelledLate);
    for (const controller of controllers) controller.abort();
    expect(passed).not.toHaveBeenCalled();
    cancel();
    await new Promise((resolve) => setImmediate(resolve));
    expect([passed, cancelled, cancelledLate].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0]);
    expect(spy).toHaveBeenCalledWith(5000);
  });
});

interface ChannelAndSocket {
  readonly own: { readonly channel: NodeChannel; readonly socket: Socket };
  readonly other: Socket;
}

/** A channel of one who connected, and the plain socket at the other end. */
async function channelAndSocket(options: Partial<NodeChannelOptions> = {}): Promise<ChannelAndSocket> {
  const path = join(useTempDirectory(), "socket");
  const server = await listening(path);
  const arrived = once(server, "connection") as Promise<[Socket]>;
  const socket = connect(path);
  const [[other]] = await Promise.all([arrived, once(socket, "connect")]);
  onTestFinished(() => {
    socket.destroy();
    other.destroy();
  });
  return { own: { channel: new NodeChannel(socket, { path: "db", ...options }), socket }, other };
}

async function listening(path: string): Promise<Server> {
  const server = createServer();
  server.listen(path);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}

/** A deadline that passes when it is told to. */
function fakeDeadline(): { readonly deadline: Deadline; readonly armed: number; pass(): void } {
  const waiting = new Set<() => void>();
  return {
    deadline: (passed) => {
      waiting.add(passed);
      return () => waiting.delete(passed);
    },
    get armed() {
      return waiting.size;
    },
    pass: () => {
      for (const passed of waiting) passed();
    },
  };
}

function framed(content: string): string {
  return `${String.fromCharCode(content.length)}\0\0\0${content}`;
}
