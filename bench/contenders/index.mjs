// Who takes part. A contender's code is loaded only in the process that measures it.

/** `backend`: where results are stored, `apart`, in the `same` file as messages, or `none`. */
async function stem(durability, backend = "apart") {
  const { stemContender } = await import("./stem.mjs");
  return stemContender({ durability, backend });
}

async function plainjob(synchronous) {
  const { plainjobContender } = await import("./plainjob.mjs");
  return plainjobContender({ synchronous });
}

async function betterSqlite() {
  const { betterSqliteContender } = await import("./better-sqlite3.mjs");
  return betterSqliteContender();
}

/**
 * In the order of the table's rows. `mode` is SQLite's `synchronous`: FULL flushes to disk before a call returns;
 * NORMAL does not, so that a power cut may take the last calls back. `peer` is who a ratio is made with.
 */
const alone = [
  {
    name: "stem-full",
    title: "stem-sqlite",
    mode: "FULL",
    family: "stem",
    peer: "plainjob-full",
    load: () => stem("full"),
  },
  {
    name: "stem-full-one-file",
    title: "stem-sqlite, one file",
    mode: "FULL",
    family: "stem",
    peer: "plainjob-full",
    load: () => stem("full", "same"),
  },
  { name: "plainjob-full", title: "plainjob", mode: "FULL", family: "plainjob", load: () => plainjob("full") },
  {
    name: "stem-relaxed",
    title: "stem-sqlite",
    mode: "NORMAL",
    family: "stem",
    peer: "plainjob-normal",
    load: () => stem("relaxed"),
  },
  {
    name: "stem-relaxed-one-file",
    title: "stem-sqlite, one file",
    mode: "NORMAL",
    family: "stem",
    peer: "plainjob-normal",
    load: () => stem("relaxed", "same"),
  },
  { name: "plainjob-normal", title: "plainjob", mode: "NORMAL", family: "plainjob", load: () => plainjob("normal") },
];

/** Several processes that share a file. `firstIsOwner`: no process beside the clients holds the database open. */
const together = [
  {
    name: "stem-owner-apart",
    title: "stem-sqlite, a worker owns the file",
    mode: "FULL",
    peer: "better-sqlite3",
    load: () => stem("full", "none"),
  },
  {
    name: "stem-owner-client",
    title: "stem-sqlite, the first client owns it",
    mode: "FULL",
    peer: "better-sqlite3",
    firstIsOwner: true,
    load: () => stem("full", "none"),
  },
  { name: "better-sqlite3", title: "better-sqlite3, WAL", mode: "FULL", load: betterSqlite, firstIsOwner: true },
  {
    name: "stem-no-backend",
    title: "stem-sqlite, no backend",
    mode: "FULL",
    peer: "plainjob-full",
    load: () => stem("full", "none"),
  },
];

export const contenders = [...alone, ...together];

export const QUEUE_CONTENDERS = ["stem-full", "plainjob-full", "stem-relaxed", "plainjob-normal"];
export const WORK_CONTENDERS = alone.map(({ name }) => name);
/** Whoever has messages, results and runs in one file. */
export const WORKFLOW_CONTENDERS = ["stem-full-one-file", "stem-relaxed-one-file"];
export const SHARING_CONTENDERS = ["stem-owner-apart", "stem-owner-client", "better-sqlite3"];
