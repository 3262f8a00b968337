import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { percentile } from "./statistics.mjs";

const PROBES = 300;
const PAGE = Buffer.alloc(4_096, 1);

function commit() {
  try {
    const cwd = new URL("../..", import.meta.url);
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    // A packed copy has no history.
    return "unknown";
  }
}

/** What the figures were measured on. */
export function describeMachine() {
  return {
    node: process.version,
    system: `${platform()} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    commit: commit(),
    date: new Date().toISOString(),
  };
}

/** Milliseconds of one 4 kB append with a flush, p50 and p99: what FULL can be at best on this disk, right now. */
export function probeDisk(directory) {
  const file = openSync(join(directory, "probe"), "w");
  const samples = Array.from({ length: PROBES }, () => {
    const start = performance.now();
    writeSync(file, PAGE);
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
}
