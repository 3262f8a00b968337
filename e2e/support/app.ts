import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** A folder with a program in it and the package installed, as `npm install` of the packed package leaves it. */
export interface App {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes one of the folders of e2e, later ones over earlier ones. */
export async function makeApp(...folders: readonly string[]): Promise<App> {
  const path = await mkdtemp(join(tmpdir(), "stem-sqlite-app-"));
  await writeFile(join(path, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  for (const folder of folders) await cp(join(ROOT, "e2e", folder), path, { recursive: true });
  await install(join(path, "node_modules/stem-sqlite"));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** The build has been made before the tests: packing must not start another one. */
async function install(target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", target, "--loglevel", "error"];
  const { stdout } = await run("npm", args, { cwd: ROOT, shell: process.platform === "win32" });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await run("tar", ["-xzf", filename, "--strip-components=1"], { cwd: target });
  await rm(join(target, filename));
}
