import { createHash } from "node:crypto";
import { readFileSync, statfsSync } from "node:fs";
import { hostname } from "node:os";
import { hasCode, storageFailure } from "./node-errors.ts";

/** What the election has to know about the machine it runs on; tests give another one. */
export interface OwnershipHost {
  /** Eight hexadecimal digits, equal for two processes exactly when one kernel runs both. */
  readonly tag: string;
  /** Whether only one kernel at a time can have this folder mounted, so that another tag means a restart. */
  isLocal(directory: string): boolean;
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

let own: OwnershipHost | undefined;

/** The machine this process runs on. */
export function thisHost(): OwnershipHost {
  own ??= { tag: createHash("sha256").update(kernelId()).digest("hex").slice(0, 8), isLocal };
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

function isLocal(directory: string): boolean {
  let type: number;
  try {
    type = statfsSync(directory).type >>> 0;
  } catch (error) {
    throw storageFailure("statfs", directory, error);
  }
  return (process.platform === "darwin" ? LOCAL_ON_DARWIN : LOCAL_ON_LINUX).has(type);
}
