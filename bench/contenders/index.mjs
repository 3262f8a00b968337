// Who takes part. A contender's code is loaded only in the process that measures it.

async function stem(durability, oneFile = false) {
  const { stemContender } = await import("./stem.mjs");
  return stemContender({ durability, oneFile });
}

async function plainjob(synchronous) {
  const { plainjobContender } = await import("./plainjob.mjs");
  return plainjobContender({ synchronous });
}

/**
 * In the order of the table's rows. `mode` is SQLite's `synchronous`: FULL flushes to disk before a call returns;
 * NORMAL does not, so that a power cut may take the last calls back. `peer` is who a ratio is made with.
 */
export const contenders = [
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
    load: () => stem("full", true),
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
    load: () => stem("relaxed", true),
  },
  { name: "plainjob-normal", title: "plainjob", mode: "NORMAL", family: "plainjob", load: () => plainjob("normal") },
];

export const QUEUE_CONTENDERS = ["stem-full", "plainjob-full", "stem-relaxed", "plainjob-normal"];
export const WORK_CONTENDERS = contenders.map(({ name }) => name);
