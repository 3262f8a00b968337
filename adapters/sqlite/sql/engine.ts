/** The version of SQLite. */
export const ENGINE_VERSION: string = /* sql */ `
select sqlite_version() as version`;

/** Raises the epoch to `:atLeast` or by one, whichever is more, and returns it. */
export const RAISE_EPOCH: string = /* sql */ `
update engine
set epoch = max(epoch + 1, :atLeast)
where id = 1
returning epoch`;
