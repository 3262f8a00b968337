/** How large the database is, in pages. */
export const PAGE_COUNT: string = "pragma page_count";

/** How large a page is, in bytes. */
export const PAGE_SIZE: string = "pragma page_size";

/** One page as this connection sees it: from the log where it is newer there, and changed by its own transaction. */
export const READ_PAGE: string = /* sql */ `
select data
from sqlite_dbpage
where pgno = :page`;
