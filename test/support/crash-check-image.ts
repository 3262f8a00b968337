import { createHash } from "node:crypto";
import { openDatabase, type OpenDatabaseOptions } from "../../adapters/sqlite/database/open-database.ts";
import type { StorageLease } from "../../src/contracts/storage-driver.ts";
import { type DatabaseContent, readContent } from "./history-content.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimContent } from "./sim-operations.ts";
import { createSimRandom } from "./sim-random.ts";
import { DATABASE, simHost } from "./workload-session.ts";

/** Settings of the engine that recovers an image; everything else is as the library has it. */
export type ImageEngine = Partial<Omit<OpenDatabaseOptions, "now" | "randomBytes">>;

/** What became of one crash image. */
export type RecoveredImage =
  | { readonly kind: "recovered"; readonly digest: string }
  /** It did not open by itself. */
  | { readonly kind: "refused"; readonly detail: string }
  /** It opened, and SQLite finds it damaged, or it did not close as it should. */
  | { readonly kind: "unsound"; readonly detail: string };

const PLAIN_HEADER = "SQLite format 3\0";
const READ_BYTES = 65_536;

/**
 * Opens a disk as the library does after a crash, reads and checks everything, and closes it cleanly. `onContent` gets
 * what was read.
 */
export async function recoverImage(
  disk: SimDisk,
  engine: ImageEngine,
  onContent?: (content: DatabaseContent) => void,
): Promise<RecoveredImage> {
  const acquisition = await disk.acquire(DATABASE);
  if (acquisition.role !== "owner") throw new Error("The image is owned by somebody.");
  const { lease } = acquisition;
  let fault: "refused" | "unsound" = "refused";
  try {
    const { database } = await openDatabase(simHost, lease, { ...engineSources(), ...engine });
    fault = "unsound";
    const finding = database.get<{ integrity_check: string }>("pragma integrity_check")?.integrity_check;
    if (finding !== "ok") return { kind: "unsound", detail: String(finding) };
    const content = readContent(database);
    onContent?.(content);
    database.close();
    const leftover = leftoverOf(lease);
    return leftover === undefined
      ? { kind: "recovered", digest: content.digest }
      : { kind: "unsound", detail: leftover };
  } catch (error) {
    return { kind: fault, detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  } finally {
    await lease.release();
  }
}

/** Equal for equal images: an image that was recovered before need not be recovered again. */
export function digestImage(content: SimContent): string {
  const hash = createHash("sha1");
  const buffer = new Uint8Array(READ_BYTES);
  for (const [entry, bytes] of [...content].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${entry} ${bytes.size}\n`);
    for (let at = 0; at < bytes.size; at += READ_BYTES) hash.update(buffer.subarray(0, bytes.read(buffer, at)));
  }
  return hash.digest("base64");
}

function engineSources(): Pick<OpenDatabaseOptions, "now" | "randomBytes" | "synchronous"> {
  const random = createSimRandom(1);
  return {
    synchronous: "full",
    now: () => 0,
    randomBytes: (into) => into.forEach((_, at) => (into[at] = random() * 256)),
  };
}

/** After a clean close other programs must be able to open the file, and nothing but the file is left. */
function leftoverOf(lease: StorageLease): string | undefined {
  const left = (["wal", "journal"] as const).filter((name) => lease.exists(name));
  if (left.length > 0) return `left behind after closing: ${left.join(", ")}`;
  const header = new Uint8Array(PLAIN_HEADER.length);
  const file = lease.open("db");
  file.read(header, 0);
  file.close();
  const text = String.fromCharCode(...header);
  return text === PLAIN_HEADER ? undefined : `header after closing: ${JSON.stringify(text)}`;
}
