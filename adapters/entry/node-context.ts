import { readFileSync, readlinkSync } from "node:fs";

/** What tells one process from every other one, also after its number was given out again. */
interface ProcessId {
  /** Of the kernel that runs it, until it restarts. */
  readonly boot: string;
  /** Where its number counts. */
  readonly namespace: string;
  readonly pid: number;
  /** In ticks since the kernel started. */
  readonly startedAt: string;
}

const ENDED_STATES = "ZX";

/** Names this process, for {@link hasEnded}; empty where the platform does not tell enough. */
export function contextId(): string {
  try {
    const { boot, namespace, pid, startedAt } = describe();
    return [boot, namespace, pid, startedAt].join("/");
  } catch {
    // No /proc, or none that may be read: others then wait for this process's leases to lapse.
    return "";
  }
}

/**
 * Whether the process of this name has certainly ended: the kernel that ran it has restarted, or says so. False for
 * everything that cannot be known from here, such as processes of another container.
 */
export function hasEnded(id: string): boolean {
  const [boot = "", namespace = "", number = "", startedAt = ""] = id.split("/");
  const pid = Number(number);
  if (boot === "" || !Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    const own = describe();
    if (own.boot !== boot) return true;
    if (own.namespace !== namespace) return false;
  } catch {
    return false;
  }
  try {
    const { state, startedAt: started } = readStat(pid);
    return ENDED_STATES.includes(state) || started !== startedAt;
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    return code === "ENOENT" || code === "ESRCH";
  }
}

function describe(): ProcessId {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  const namespace = readlinkSync("/proc/self/ns/pid");
  return { boot, namespace, pid: process.pid, startedAt: readStat(process.pid).startedAt };
}

/** The name of the program, which comes second, is in parentheses and may hold anything. */
function readStat(pid: number): { state: string; startedAt: string } {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [state = "", ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state, startedAt: rest[18] ?? "" };
}
