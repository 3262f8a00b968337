import { type ChildProcess, spawn, spawnSync, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";

const DRIVER = pathToFileURL(resolve(import.meta.dirname, "../../../dist/adapters/storage/node.js")).href;

/** A program that finds the driver as `nodeStorage`; `say` prints a line. */
export function programWithNodeStorage(body: string): string {
  return `import { nodeStorage } from ${JSON.stringify(DRIVER)}; const say = console.log; ${body}`;
}

/** Runs a program to its end in a process of its own and gives the lines it printed. */
export function runChild(body: string, options: SpawnOptions = {}): readonly string[] {
  const argv = ["--input-type=module", "-e", programWithNodeStorage(body)];
  const { stdout, stderr, status } = spawnSync(process.execPath, argv, { ...options, encoding: "utf8" });
  if (status !== 0) throw new Error(`The child ended with ${status}: ${stderr}`);
  return stdout.trim().split("\n");
}

/** Starts a program and resolves with its first line; it is killed when the test ends. */
export async function startChild(body: string): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const argv = ["--input-type=module", "-e", programWithNodeStorage(body)];
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const { stdout } = child;
  if (stdout === null) throw new Error("The child has no output");
  const [chunk] = (await once(stdout, "data")) as [Buffer];
  return { child, line: chunk.toString().trim() };
}

/** Sends SIGKILL and waits until the process is gone. */
export async function killChild(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
