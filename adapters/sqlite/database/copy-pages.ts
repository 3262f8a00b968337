import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import { EngineError, PayloadTooLargeError } from "../../../src/errors.ts";
import { PAGE_COUNT, PAGE_SIZE, READ_PAGE } from "../sql/pages.ts";

/** How a file is written and read: 1 for a journal, which is what every program can open. */
const WRITE_VERSION_OFFSET = 18;
const READ_VERSION_OFFSET = 19;
const JOURNALED = 1;

/**
 * The pages of the open database in one array, so that the log is not needed; page by page, since the engine's own
 * memory never shrinks. Throws `PayloadTooLargeError` above `maxBytes`, before it has read any.
 */
export function copyPages(sql: SqlSession, maxBytes: number): Uint8Array<ArrayBuffer> {
  const pages = sql.get<{ page_count: number }>(PAGE_COUNT)?.page_count ?? 0;
  const pageBytes = sql.get<{ page_size: number }>(PAGE_SIZE)?.page_size ?? 0;
  if (pages * pageBytes > maxBytes) throw new PayloadTooLargeError("A copy in memory", maxBytes, pages * pageBytes);
  const copy = new Uint8Array(pages * pageBytes);
  for (let page = 1; page <= pages; page += 1) {
    const data = sql.get<{ data: Uint8Array }>(READ_PAGE, { page })?.data;
    if (data?.length !== pageBytes) throw new EngineError(`page ${page} of ${pages} could not be copied`);
    copy.set(data, (page - 1) * pageBytes);
  }
  copy[WRITE_VERSION_OFFSET] = JOURNALED;
  copy[READ_VERSION_OFFSET] = JOURNALED;
  return copy;
}
