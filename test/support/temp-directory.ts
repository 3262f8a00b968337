import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder of its own for one test or suite; the path holds no symbolic links. */
export interface TempDirectory {
  readonly path: string;
  /** Deletes the folder with everything in it. Idempotent. */
  remove(): void;
}

/** Makes an empty folder that lives until `remove`. */
export function makeTempDirectory(): TempDirectory {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "stem-test-")));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Makes an empty folder that is deleted when the current test ends. Call it inside a test. */
export function useTempDirectory(): string {
  const directory = makeTempDirectory();
  onTestFinished(() => directory.remove());
  return directory.path;
}
