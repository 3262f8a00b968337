import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import { becomeOwner } from "../../../adapters/storage/node-ownership.ts";
import { type OwnershipHost, thisHost } from "../../../adapters/storage/node-ownership-host.ts";
import { socketAddress } from "../../../adapters/storage/node-socket.ts";
import { DatabaseBusyError, StorageIoError } from "../../../src/errors.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { killChild, programWithNodeStorage, runChild, startChild } from "./node-child.ts";

const FOREIGN = "ffffffff";

describe("ownership among processes", () => {
  it("is refused while another process owns the database, and taken over at once when that is killed", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const { child, line } = await startChild(ownForEver(path));
    expect(line).toBe("owner");
    expect((await nodeStorage().acquire(path)).role).toBe("member");
    await killChild(child);
    await ownAndRelease(path);
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("stays with a process that hangs", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const { child } = await startChild(ownForEver(path));
    child.kill("SIGSTOP");
    for (let attempt = 0; attempt < 3; attempt++) expect((await nodeStorage().acquire(path)).role).toBe("member");
    await killChild(child);
    await ownAndRelease(path);
  });

  it("does not keep a process alive, and leaves nothing that needs a human", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const body = `say((await nodeStorage().acquire(${JSON.stringify(path)})).role)`;
    for (let round = 0; round < 3; round++) expect(runChild(body)).toEqual(["owner"]);
    await ownAndRelease(path);
  });

  it("goes to one of several processes that race for what a killed owner left", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    for (let round = 0; round < 3; round++) {
      const first = await startChild(ownForEver(path));
      await killChild(first.child);
      const racers = await Promise.all(Array.from({ length: 4 }, () => startChild(ownForEver(path))));
      expect(racers.filter(({ line }) => line === "owner")).toHaveLength(1);
      for (const { child } of racers) await killChild(child);
    }
  });

  it("never has two holders, however many come and go at once", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const program = `
      const { openSync, closeSync, unlinkSync } = await import("node:fs");
      let terms = 0;
      while (terms < 20) {
        const acquisition = await nodeStorage().acquire(${JSON.stringify(path)});
        if (acquisition.role !== "owner") continue;
        closeSync(openSync(${JSON.stringify(`${path}.witness`)}, "wx"));
        await new Promise(setImmediate);
        unlinkSync(${JSON.stringify(`${path}.witness`)});
        await acquisition.lease.release();
        terms++;
      }
      say("done");`;
    const racers = await Promise.all(Array.from({ length: 3 }, () => startChild(program)));
    expect(racers.map(({ line }) => line)).toEqual(["done", "done", "done"]);
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  it("is refused to another thread of this process, and free after that thread was terminated", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    const source = programWithNodeStorage(`
      const { parentPort } = await import("node:worker_threads");
      const acquisition = await nodeStorage().acquire(${JSON.stringify(path)});
      parentPort.postMessage(acquisition.role);
      parentPort.on("message", () => undefined);`);
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const worker = new Worker(url);
    onTestFinished(async () => void (await worker.terminate()));
    expect(await once(worker, "message")).toEqual(["owner"]);
    expect((await nodeStorage().acquire(path)).role).toBe("member");
    const second = new Worker(url);
    expect(await once(second, "message")).toEqual(["member"]);
    await second.terminate();
    await worker.terminate();
    await ownAndRelease(path);
  });
});

describe("what dead processes left", () => {
  it("is taken over after a restart of the machine when the file system is local", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    await leaveDeadLock(path, FOREIGN);
    const result = await becomeOwner(path, host(true));
    if (!("owner" in result)) return expect.unreachable();
    await result.owner.release();
  });

  it("is left alone on a file system of unknown reach when another kernel made it", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    await leaveDeadLock(path, FOREIGN);
    await expect(becomeOwner(path, host(false))).rejects.toThrow(DatabaseBusyError);
    expect(readdirSync(`${path}.lock`)).toHaveLength(1);
  });

  it("is taken over on a file system of unknown reach when this kernel made it", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    await leaveDeadLock(path, thisHost().tag);
    const result = await becomeOwner(path, host(false));
    if (!("owner" in result)) return expect.unreachable();
    await result.owner.release();
  });

  it("is swept when it is a preparation nobody listens on; that of a living process stays", async () => {
    const directory = useTempDirectory();
    const path = join(directory, "jobs.sqlite");
    await leaveDeadLock(path, thisHost().tag);
    renameSync(`${path}.lock`, `${path}.lock.${thisHost().tag}-0123456789abcdef`);
    mkdirSync(`${path}.lock.${thisHost().tag}-00000000000000ff`);
    mkdirSync(`${path}.lock.of-somebody-else`);
    const living = join(directory, "living.sqlite");
    const owner = await becomeOwner(living);
    if (!("owner" in owner)) return expect.unreachable();
    const alive = `jobs.sqlite.lock.${thisHost().tag}-aaaaaaaaaaaaaaaa`;
    renameSync(`${living}.lock`, join(directory, alive));
    await ownAndRelease(path);
    expect(readdirSync(directory).toSorted()).toEqual([alive, "jobs.sqlite.lock.of-somebody-else"].toSorted());
    await owner.owner.release();
  });

  it("does not include what others put into the lock folder: that is reported", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    mkdirSync(`${path}.lock`);
    writeFileSync(join(`${path}.lock`, "notes.txt"), "");
    await expect(nodeStorage().acquire(path)).rejects.toThrow(StorageIoError);
    expect(readdirSync(`${path}.lock`)).toEqual(["notes.txt"]);
  });
});

describe("the owner's socket", () => {
  it("works in a folder whose path is too long for a socket, and tells two such databases apart", async () => {
    const folder = join(useTempDirectory(), "x".repeat(60), "y".repeat(60));
    const first = join(folder, "first.sqlite");
    const second = join(folder, "second.sqlite");
    const [a, b] = [await nodeStorage().acquire(first), await nodeStorage().acquire(second)];
    expect([a.role, b.role]).toEqual(["owner", "owner"]);
    expect((await nodeStorage().acquire(first)).role).toBe("member");
    if (a.role === "owner") await a.lease.release();
    expect((await nodeStorage().acquire(second)).role).toBe("member");
    await ownAndRelease(first);
    if (b.role === "owner") await b.lease.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is reached through a short link where there is no /proc", async () => {
    const path = join(useTempDirectory(), "x".repeat(60), "y".repeat(60), "jobs.sqlite");
    const acquisition = await nodeStorage().acquire(path);
    const [name = ""] = readdirSync(`${path}.lock`);
    const address = socketAddress(`${path}.lock`, name, true);
    expect(Buffer.byteLength(address.path)).toBeLessThan(104);
    const socket = connect({ path: address.path });
    await once(socket, "connect");
    socket.destroy();
    address.close();
    expect(existsSync(address.path)).toBe(false);
    if (acquisition.role === "owner") await acquisition.lease.release();
  });
});

function ownForEver(path: string): string {
  return `say((await nodeStorage().acquire(${JSON.stringify(path)})).role); process.stdin.resume();`;
}

/** On a file system of one machine, or on one that may be shared: FUSE says neither. */
function host(isLocal: boolean): OwnershipHost {
  return { tag: thisHost().tag, fileSystemType: () => (isLocal ? 0xef53 : 0x65735546) };
}

async function ownAndRelease(path: string): Promise<void> {
  const acquisition = await nodeStorage().acquire(path);
  if (acquisition.role !== "owner") return expect.unreachable();
  await acquisition.lease.release();
}

/** Leaves the lock of an owner that was killed, as the kernel with this tag would have named it. */
async function leaveDeadLock(path: string, tag: string): Promise<void> {
  const { child } = await startChild(ownForEver(path));
  await killChild(child);
  const [name = ""] = readdirSync(`${path}.lock`);
  renameSync(join(`${path}.lock`, name), join(`${path}.lock`, `${tag}-${name.slice(9)}`));
}
