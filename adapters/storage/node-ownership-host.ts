import { createHash } from "node:crypto";
import { readFileSync, statfsSync } from "node:fs";
import { hostname } from "node:os";
import { UnsupportedEnvironmentError } from "../../src/errors.ts";
import { hasCode, storageFailure } from "./node-errors.ts";

/** What the election has to know about the machine it runs on; tests give another one. */
export interface OwnershipHost {
  /** Eight hexadecimal digits, equal for two processes exactly when one kernel runs both. */
  readonly tag: string;
  /** The `statfs` type of the file system that a folder is on; `undefined` where the platform does not say. */
  fileSystemType(directory: string): number | undefined;
}

/** `statfs` types of file systems on a disk, or in memory, of one machine. */
const LOCAL_ON_LINUX: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
]);
const LOCAL_ON_DARWIN: ReadonlySet<number> = new Set([
  0x11, // hfs
  0x1a, // apfs
]);
/**
 * `statfs` types, on Linux, of file systems that several kernels share. Their sockets belong to one kernel each, so the
 * lock would hold on one machine only, and a flush there may promise more than it keeps. FUSE (0x65735546) is not among
 * them: it is virtiofs and sshfs, but also many a file system on a local disk.
 */
const NETWORK_ON_LINUX: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x517b, "SMB"],
  [0x01021997, "9p"],
]);

let own: OwnershipHost | undefined;

/** The machine this process runs on. */
export function thisHost(): OwnershipHost {
  own ??= { tag: createHash("sha256").update(kernelId()).digest("hex").slice(0, 8), fileSystemType };
  return own;
}

/** Without a boot id the host's name has to do: a dead socket of the same host is dead before and after a restart. */
function kernelId(): string {
  if (process.platform !== "linux") return hostname();
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES", "EPERM")) return hostname();
    throw storageFailure("read", "/proc/sys/kernel/random/boot_id", error);
  }
}

/** Throws `UnsupportedEnvironmentError` when a `statfs` type is one of a network file system. */
export function refuseNetworkFileSystem(type: number | undefined, directory: string): void {
  if (process.platform !== "linux" || type === undefined) return;
  const name = NETWORK_ON_LINUX.get(type);
  if (name === undefined) return;
  throw new UnsupportedEnvironmentError(`a file system of this machine at "${directory}"; it is on ${name}`);
}

/** Whether only one kernel at a time can have a file system of this type mounted: another tag means a restart. */
export function isLocalFileSystem(type: number | undefined): boolean {
  if (type === undefined) return false;
  return (process.platform === "darwin" ? LOCAL_ON_DARWIN : LOCAL_ON_LINUX).has(type);
}

function fileSystemType(directory: string): number | undefined {
  try {
    return statfsSync(directory).type >>> 0;
  } catch (error) {
    // Some sandboxes lack the call.
    if (hasCode(error, "ENOSYS")) return undefined;
    throw storageFailure("statfs", directory, error);
  }
}
