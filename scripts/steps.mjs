// Shared by the scripts beside this file: the project's root, and running a command in it.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Path of a development tool's executable. */
export function tool(name) {
  return `${root}node_modules/.bin/${name}${process.platform === "win32" ? ".cmd" : ""}`;
}

/** Runs a command in the root with this process's output; resolves with its exit code, 1 when a signal ended it. */
export function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
