import { openDatabase, type OpenDatabaseOptions } from "../../adapters/sqlite/database/open-database.ts";
import type { WasmDatabase } from "../../adapters/sqlite/database/wasm-database.ts";
import { crashImage } from "./crash-check.ts";
import { digestImage } from "./crash-check-image.ts";
import { readContent } from "./history-content.ts";
import { SimBytes } from "./sim-bytes.ts";
import { SimDisk } from "./sim-disk.ts";
import type { SimContent } from "./sim-operations.ts";
import { createSimRandom } from "./sim-random.ts";
import { DATABASE, simHost } from "./workload-session.ts";

/** How a file that may be anything was taken. */
export interface OpeningResult {
  /** What opening, or using what was opened, threw. */
  readonly error: unknown;
  readonly opened: boolean;
  /** Whether every byte is as it was; an empty log may have been made. */
  readonly untouched: boolean;
}

type Options = Partial<Pick<OpenDatabaseOptions, "migrations" | "walAutocheckpoint">>;

/** Opens what a disk holds, lets `use` work with it, and closes it or, with `kill`, leaves it as a kill does. */
export async function useDatabase(
  content: SimContent,
  use: (database: WasmDatabase) => void,
  options: Options & Readonly<{ kill?: boolean }> = {},
): Promise<SimContent> {
  const { kill = false, ...engine } = options;
  const disk = new SimDisk({}, content);
  await onDisk(disk, engine, (database) => {
    use(database);
    if (kill) database.abandon();
    else database.close();
  });
  return contentAfter(disk, content);
}

/** Opens what a disk holds, uses it a little if that worked, and tells how it went. Never throws. */
export async function tryOpening(content: SimContent, options: Options = {}): Promise<OpeningResult> {
  const disk = new SimDisk({}, content);
  let opened = false;
  let error: unknown;
  try {
    await onDisk(disk, options, (database) => {
      opened = true;
      exercise(database);
    });
  } catch (thrown) {
    error = thrown;
  }
  const untouched = digestImage(withoutEmpty(contentAfter(disk, content))) === digestImage(withoutEmpty(content));
  return { error, opened, untouched };
}

function withoutEmpty(content: SimContent): SimContent {
  return new Map([...content].filter(([, bytes]) => bytes.size > 0));
}

/** A disk that holds these bytes under these names. */
export function diskOf(files: Readonly<Partial<Record<"db" | "wal" | "journal", Uint8Array>>>): SimContent {
  return new Map(
    Object.entries(files).map(([name, bytes]) => {
      const stored = new SimBytes();
      stored.write(bytes, 0);
      return [`${DATABASE}/${name}`, stored];
    }),
  );
}

/** The bytes of one file of a disk. */
export function bytesOf(content: SimContent, name: "db" | "wal" | "journal"): Uint8Array {
  const stored = content.get(`${DATABASE}/${name}`);
  const bytes = new Uint8Array(stored?.size ?? 0);
  stored?.read(bytes, 0);
  return bytes;
}

/** What a queue does, in short: reads everything, writes, rolls back, and looks for damage. */
function exercise(database: WasmDatabase): void {
  readContent(database);
  database.run("begin immediate");
  database.run("update queue_jobs set deliveries = deliveries + 1");
  database.run("update engine set epoch = epoch + 1");
  database.run("commit");
  database.run("begin immediate");
  database.run("delete from queue_jobs");
  database.run("rollback");
  database.all("pragma integrity_check");
  database.close();
}

async function onDisk(disk: SimDisk, options: Options, use: (database: WasmDatabase) => void): Promise<void> {
  const acquisition = await disk.acquire(DATABASE);
  if (acquisition.role !== "owner") throw new Error("A new disk has an owner.");
  const { lease } = acquisition;
  let database: WasmDatabase | undefined;
  try {
    const random = createSimRandom(1);
    const randomBytes = (into: Uint8Array): void => into.forEach((_, at) => (into[at] = random() * 256));
    const engine = { synchronous: "full", now: () => 0, randomBytes } as const;
    ({ database } = await openDatabase(simHost, lease, { ...engine, ...options }));
    use(database);
  } finally {
    database?.abandon();
    await lease.release();
  }
}

function contentAfter(disk: SimDisk, initial: SimContent): SimContent {
  const recording = { initial, operations: disk.operations, seed: 0 };
  return crashImage(recording, { mode: "killed", dirent: "strict", index: disk.operationCount });
}
