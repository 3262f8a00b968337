import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BENCH = fileURLToPath(new URL("..", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    // The table alone goes to standard output.
    stdio: ["ignore", process.stderr, process.stderr],
    shell: process.platform === "win32",
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}

/** Installs the peers, when what is installed is not what the lock file says; the native one takes about a minute. */
export function installPeers() {
  const lock = `${BENCH}package-lock.json`;
  const installed = `${BENCH}node_modules/.package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  run("npm", ["ci"], BENCH);
}

/** Builds the package under test. */
export function buildPackage() {
  run(process.execPath, ["scripts/build.mjs"], ROOT);
}
