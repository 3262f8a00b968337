/** SQLite's result codes that this library gives a meaning to. */
export const SQLITE = {
  OK: 0,
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  NOTFOUND: 12,
  FULL: 13,
  CANTOPEN: 14,
  CONSTRAINT: 19,
  NOTADB: 26,
  ROW: 100,
  DONE: 101,
  IOERR_READ: 266,
  IOERR_SHORT_READ: 522,
  IOERR_WRITE: 778,
  IOERR_FSYNC: 1034,
  IOERR_TRUNCATE: 1546,
  IOERR_FSTAT: 1802,
  IOERR_DELETE: 2570,
  IOERR_ACCESS: 3338,
  IOERR_CLOSE: 4106,
} as const;

/** Flags SQLite passes to `xOpen`. */
export const OPEN = {
  READWRITE: 0x2,
  CREATE: 0x4,
  MAIN_DB: 0x100,
  MAIN_JOURNAL: 0x800,
  WAL: 0x80000,
} as const;
