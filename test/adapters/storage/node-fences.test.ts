import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import { becomeOwner } from "../../../adapters/storage/node-ownership.ts";
import { thisHost } from "../../../adapters/storage/node-ownership-host.ts";
import { listenAt } from "../../../adapters/storage/node-socket.ts";
import type { StoragePeer } from "../../../src/contracts/storage-driver.ts";
import { DatabaseBusyError, UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";
import { runChild, startChild } from "./node-child.ts";

const NOBODY = 65534;
const SOMEBODY = 12345;
const isRoot = process.getuid?.() === 0;

describe("a lock folder that may be a trap is reported, and nobody connects to the socket in it", () => {
  it.each([
    ["a symbolic link to a folder", (lock: string) => renameSync(lock, `${lock}-real`), true],
    ["a folder that the group may change", (lock: string) => chmodSync(lock, 0o770), false],
    ["a folder that everybody may change", (lock: string) => chmodSync(lock, 0o777), false],
  ])("%s", async (_, change, isLink) => {
    const { path, lock, connections } = await trap();
    change(lock);
    if (isLink) symlinkSync(`${lock}-real`, lock);
    await expectRefused(path);
    expect(connections()).toBe(0);
  });

  it("a file", async () => {
    const path = join(useTempDirectory(), "jobs.sqlite");
    writeFileSync(`${path}.lock`, "");
    await expectRefused(path);
  });

  it("one that came in place of the owner's after that was met", async () => {
    const { path, lock } = await trap();
    const met = (await nodeStorage().meet?.(path)) as StoragePeer;
    renameSync(lock, `${lock}-real`);
    symlinkSync(`${lock}-real`, lock);
    await expect(met.connect()).rejects.toThrow(DatabaseBusyError);
  });

  // Only root may give a folder away.
  it.runIf(isRoot)("one of another user, unless the database is that user's too (needs root)", async () => {
    const { path, lock, connections } = await trap();
    chownSync(lock, SOMEBODY, SOMEBODY);
    await expectRefused(path);
    writeFileSync(path, "");
    await expectRefused(path);
    expect(connections()).toBe(0);
    chownSync(path, SOMEBODY, SOMEBODY);
    expect((await nodeStorage().acquire(path)).role).toBe("member");
  });

  it.runIf(isRoot)("one of another user, to a user without rights (needs root)", async () => {
    const folder = folderOfAll();
    const path = join(folder, "jobs.sqlite");
    mkdirSync(`${path}.lock`, { mode: 0o755 });
    chownSync(`${path}.lock`, SOMEBODY, SOMEBODY);
    const body = `for (const call of ["acquire", "meet"]) {
      await nodeStorage()[call](${JSON.stringify(path)}).catch(({ code, details }) => say(code, details.owner));
    }`;
    const lines = runChild(body, { uid: NOBODY, gid: NOBODY, cwd: "/" });
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^STEM_DATABASE_BUSY a lock folder of another user/);
  });
});

describe("an owner that may be trusted", () => {
  it.runIf(isRoot)("is the user of the database, to root (needs root)", async () => {
    const path = join(folderOfAll(), "jobs.sqlite");
    // The program becomes another user before it owns anything.
    const { line } = await startChild(`
      process.setgid(${NOBODY});
      process.setuid(${NOBODY});
      const { role, lease } = await nodeStorage().acquire(${JSON.stringify(path)});
      lease.accept((channel) => channel.listen({ onMessage: (message) => channel.send(message), onClose() {} }));
      lease.open("db");
      process.stdin.resume();
      say(role);`);
    expect(line).toBe("owner");
    const channel = await (await nodeStorage().meet?.(path))?.connect();
    const echo = new Promise((resolve) => channel?.listen({ onMessage: resolve, onClose: resolve }));
    channel?.send("hello");
    expect(await echo).toBe("hello");
  });
});

describe.runIf(process.platform === "linux")("a network file system (types known on Linux only)", () => {
  it.each([
    ["NFS", 0x6969],
    ["CIFS", 0xff534d42],
    ["SMB2", 0xfe534d42],
    ["SMB", 0x517b],
    ["9p", 0x01021997],
  ])("is refused before anything is made on it: %s", async (name, type) => {
    const folder = useTempDirectory();
    const host = { tag: thisHost().tag, fileSystemType: () => type };
    const refused = becomeOwner(join(folder, "jobs.sqlite"), host);
    await expect(refused).rejects.toThrow(UnsupportedEnvironmentError);
    await expect(refused).rejects.toThrow(name);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ["one of this machine", 0xef53],
    ["FUSE, which may be either", 0x65735546],
    ["one that cannot be asked", undefined],
  ])("is none: %s", async (_, type) => {
    const host = { tag: thisHost().tag, fileSystemType: () => type };
    const result = await becomeOwner(join(useTempDirectory(), "jobs.sqlite"), host);
    if (!("owner" in result)) return expect.unreachable();
    await result.owner.release();
  });
});

async function expectRefused(path: string): Promise<void> {
  const driver = nodeStorage();
  for (const call of [driver.acquire(path), driver.meet?.(path)]) {
    await expect(call).rejects.toThrow(DatabaseBusyError);
    await expect(call).rejects.toThrow(`a lock folder of another user`);
  }
}

interface Trap {
  readonly path: string;
  readonly lock: string;
  /** How many connections arrived. */
  connections(): number;
}

/** A lock folder with a listening socket that counts who comes. */
async function trap(): Promise<Trap> {
  const path = join(useTempDirectory(), "jobs.sqlite");
  const lock = `${path}.lock`;
  mkdirSync(lock, { mode: 0o700 });
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await listenAt(server, join(lock, `${thisHost().tag}-0123456789abcdef`));
  onTestFinished(() => void server.close());
  return { path, lock, connections: () => connections };
}

/** A folder in which every user may make files. */
function folderOfAll(): string {
  const folder = useTempDirectory();
  chmodSync(folder, 0o777);
  return folder;
}
