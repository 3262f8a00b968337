import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { fork } from "node:child_process";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import type { PeerChannel, StoragePeer } from "../../../src/contracts/storage-driver.ts";
import { DatabaseBusyError } from "../../../src/errors.ts";
import { PeerProbe } from "../../contract/storage-driver/peer-probe.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { killChild, programWithNodeStorage, runChild, startChild } from "./node-child.ts";

/** Owns a database and sends back each message that arrives, to whoever sent it. */
const ECHO = `
  if (role !== "owner") throw new Error(role);
  lease.accept((channel) => channel.listen({ onMessage: (message) => channel.send(message), onClose() {} }));
  process.stdin.resume();
  say("ready");`;

describe("two processes", () => {
  it("talk, and the member is told when the owner is killed", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const { child } = await startChild(own(path, ECHO));
    const peer = await peerOf(path);
    const member = new PeerProbe(await connected(peer));
    const sent = Array.from({ length: 300 }, (_, index) => ({ index, text: "x".repeat(index * 100) }));
    for (const message of sent) member.channel.send(message);
    expect(await member.received(300)).toEqual(sent);
    const closed = member.closed();
    await killChild(child);
    await closed;
    expect(member.ends).toHaveLength(1);
    expect(await peer.connect()).toBeUndefined();
    expect(await nodeStorage().meet?.(path)).toBeUndefined();
  });

  it("talk in a folder whose path is too long for a socket", async () => {
    const path = join(useTempDirectory(), "x".repeat(60), "y".repeat(60), "jobs.sqlite");
    await startChild(own(path, ECHO));
    const met = await nodeStorage().meet?.(path);
    const member = new PeerProbe(await connected(met));
    member.channel.send("hello");
    expect(await member.received(1)).toEqual(["hello"]);
  });

  it("talk when the owner is a worker of a cluster, and are apart when that is killed, whatever its primary does", async () => {
    const folder = useTempDirectory();
    const path = join(folder, "jobs.sqlite");
    const program = join(folder, "cluster.mjs");
    const work = `${own(path, ECHO)} process.send(process.pid);`;
    const lead = `cluster.fork().on("message", (pid) => process.send(pid));`;
    const body = `if (cluster.isPrimary) { ${lead} } else { ${work} }`;
    writeFileSync(program, `import cluster from "node:cluster"; ${programWithNodeStorage(body)}`);
    const primary = fork(program, { stdio: "ignore" });
    onTestFinished(() => void primary.kill("SIGKILL"));
    const [worker] = (await once(primary, "message")) as [number];
    const peer = await peerOf(path);
    const member = new PeerProbe(await connected(peer));
    member.channel.send("hello");
    expect(await member.received(1)).toEqual(["hello"]);
    primary.kill("SIGSTOP");
    process.kill(worker, "SIGKILL");
    await member.closed();
    // The kernel may close a killed process' connections a moment before its lock, so that one more succeeds.
    for (let channel = await peer.connect(); channel !== undefined; channel = await peer.connect()) {
      await new PeerProbe(channel).closed();
    }
  });

  it("stay together while the owner hangs: when it lets nobody in any more it is busy, not gone", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const { child } = await startChild(own(path, ECHO));
    const peer = await peerOf(path);
    child.kill("SIGSTOP");
    await crowd(path);
    const error: unknown = await peer.connect().catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(DatabaseBusyError);
    expect(error).toMatchObject({ retryable: true });
    expect((await nodeStorage().acquire(path)).role).toBe("member");
    child.kill("SIGCONT");
    const member = new PeerProbe(await untilConnected(peer));
    member.channel.send("hello");
    expect(await member.received(1)).toEqual(["hello"]);
  });
});

describe("a channel of a process", () => {
  it("does not keep it alive unless asked to", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    await startChild(own(path, ECHO));
    const body = `const { peer } = await nodeStorage().acquire(${JSON.stringify(path)});
      const channel = await peer.connect();
      channel.listen({ onMessage() {}, onClose() {} });
      channel.send("hello");
      say("connected");`;
    expect(runChild(body)).toEqual(["connected"]);
  });

  it("keeps the owner's process alive no more than the member's", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const { child } = await startChild(own(path, `${ECHO} process.stdin.on("end", () => say("ended"));`));
    const member = new PeerProbe(await connected(await peerOf(path)));
    member.channel.send("hello");
    await member.received(1);
    const exit = once(child, "exit");
    child.stdin?.end();
    expect(await exit).toEqual([0, null]);
    await member.closed();
  });

  it("keeps it alive when asked to, until asked no more", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    await startChild(own(path, ECHO));
    const body = `const { peer } = await nodeStorage().acquire(${JSON.stringify(path)});
      const channel = await peer.connect();
      channel.listen({
        onMessage(message) { say(message); channel.keepAlive(message === "hello"); channel.send("bye"); },
        onClose() {},
      });
      channel.keepAlive(true);
      channel.send("hello");`;
    expect(runChild(body)).toEqual(["hello", "bye"]);
  });
});

describe("meeting the owner of files", () => {
  it("creates nothing, also where there is no folder", async () => {
    const folder = useTempDirectory();
    expect(await nodeStorage().meet?.(join(folder, "jobs.sqlite"))).toBeUndefined();
    expect(await nodeStorage().meet?.(join(folder, "sub", "jobs.sqlite"))).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("gives nobody where the owner was killed, and leaves the place for the next one", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const { child } = await startChild(own(path, ECHO));
    await killChild(child);
    expect(await nodeStorage().meet?.(path)).toBeUndefined();
    const acquisition = await nodeStorage().acquire(path);
    if (acquisition.role !== "owner") return expect.unreachable();
    await acquisition.lease.release();
  });
});

function own(path: string, then: string): string {
  return `const { role, lease } = await nodeStorage().acquire(${JSON.stringify(path)}); ${then}`;
}

async function peerOf(path: string): Promise<StoragePeer> {
  const acquisition = await nodeStorage().acquire(path);
  return acquisition.role === "member" ? acquisition.peer : expect.unreachable("nobody owned it");
}

async function connected(peer: StoragePeer | undefined): Promise<PeerChannel> {
  return (await peer?.connect()) ?? expect.unreachable("the owner is gone");
}

/** Connects as soon as the crowd was let in. */
async function untilConnected(peer: StoragePeer): Promise<PeerChannel> {
  for (;;) {
    try {
      return await connected(peer);
    } catch (error) {
      if (!(error instanceof DatabaseBusyError)) throw error;
    }
  }
}

/** Fills the queue of connections that wait to be let in. They leave when the test ends. */
async function crowd(path: string): Promise<void> {
  const [name = ""] = readdirSync(`${path}.lock`);
  for (let isFull = false; !isFull;) {
    const socket: Socket = connect(join(`${path}.lock`, name));
    onTestFinished(() => void socket.destroy());
    isFull = await new Promise((resolve) => {
      socket.once("connect", () => resolve(false));
      socket.on("error", () => resolve(true));
    });
  }
}
