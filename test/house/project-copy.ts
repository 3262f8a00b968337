import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const ROOMS = [
  "src",
  "adapters/memory",
  "adapters/sqlite",
  "adapters/sqljs",
  "adapters/storage",
  "adapters/storage/web",
  "adapters/entry",
  "playground",
  "playground/web",
  "test",
  "test/browser",
  "e2e",
] as const;

/** One finding of the linter. */
export interface Finding {
  readonly file: string;
  /** As the linter writes it: `eslint(no-console)`. */
  readonly code: string;
  readonly message: string;
  readonly help?: string;
}

/** Lays the project's configuration and the given sources, by path, into an empty folder. */
export function writeProjectCopy(folder: string, sources: Readonly<Record<string, string>>): void {
  const configs = [".oxlintrc.json", "package.json", "tsconfig.base.json", "tsconfig.json"];
  for (const file of [...configs, ...ROOMS.map((room) => `${room}/tsconfig.json`)]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  // The compiler looks for the types of Node here.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [path, text] of Object.entries(sources)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Lints the copy with the project's rules. */
export function lint(folder: string): Finding[] {
  // Folders by name: linting the copy as a whole would follow its link to node_modules.
  const args = ["-f", "json", "src", "adapters", "playground", "test", "vitest.config.ts"];
  const { stdout, stderr } = runTool(folder, "oxlint", args);
  if (!stdout.includes('"diagnostics"')) throw new Error(`oxlint failed: ${stdout}${stderr}`);
  const report = JSON.parse(stdout) as { diagnostics: (Omit<Finding, "file"> & { filename: string })[] };
  return report.diagnostics.map(({ filename, ...finding }) => ({ ...finding, file: filename.replaceAll("\\", "/") }));
}

/** Compiles one project of the copy; the compiler's messages, one a line, each with its file first. */
export function compile(folder: string, project: string): string[] {
  const { stdout } = runTool(folder, "tsc", ["-b", project, "--pretty", "false"]);
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}

function runTool(folder: string, name: string, args: readonly string[]): { stdout: string; stderr: string } {
  const command = join(ROOT, "node_modules/.bin", name);
  const { error, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (error !== undefined) throw error;
  return { stdout, stderr };
}
