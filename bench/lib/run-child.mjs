import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("./child.mjs", import.meta.url));

/** Runs one step of a case in a process of its own; resolves to its result, rejects with what it wrote to stderr. */
export function runChild({ step, caseName, contenderName, directory, size, env = {} }) {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [step, caseName, contenderName, directory, size], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    let result;
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
    child.once("message", (message) => (result = message));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(errors.trim() || `ended with ${signal ?? code}`));
    });
  });
}

/** Calls `work` with a new directory below `root`, and removes it afterwards. */
export async function withDirectory(root, work) {
  const directory = await mkdtemp(join(root, "store-"));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
