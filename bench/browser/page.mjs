// A benchmark for whoever opens the page; `bench` is what bench/browser.mjs drives.
import { createEnvelope, silentLogger, SqliteBroker, SqliteResultBackend } from "stem-sqlite";
import { indexedDbStorage } from "stem-sqlite/storage/indexeddb";
import { opfsStorage } from "stem-sqlite/storage/opfs";
import { CASES, SIZES } from "./cases.mjs";

const DRIVERS = { indexeddb: indexedDbStorage, opfs: opfsStorage };
let stores;

async function open({ database, storage, durability }) {
  const options = { storage: DRIVERS[storage](), durability, logger: silentLogger };
  const broker = await SqliteBroker.open(database, options);
  stores = { broker, backend: await SqliteResultBackend.open(database, options) };
  return (await broker.health()).role;
}

async function close() {
  await stores.backend.close();
  await stores.broker.close();
}

/** Removes the files of all closed databases. */
async function clear() {
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  const stored = await indexedDB.databases();
  await Promise.all(stored.map(({ name }) => settled(indexedDB.deleteDatabase(name))));
}

function settled(request) {
  return new Promise((resolve) => {
    request.onsuccess = request.onerror = request.onblocked = resolve;
  });
}

/** From the beginning of the navigation to the first acknowledged publish. */
async function firstQuery(storage) {
  const broker = await SqliteBroker.open("first.sqlite", { storage: DRIVERS[storage](), logger: silentLogger });
  await broker.publish(createEnvelope({ name: "job", args: { i: 1 } }));
  return performance.now();
}

function cell(text) {
  const element = document.createElement("td");
  element.textContent = text;
  return element;
}

async function measureAll(form, status, rows) {
  const chosen = new FormData(form);
  const [storage, durability] = ["storage", "durability"].map((name) => String(chosen.get(name)));
  status.textContent = "Opening the database.";
  const role = await open({ database: `bench-${durability}.sqlite`, storage, durability });
  rows.replaceChildren();
  for (const { title, run } of Object.values(CASES)) {
    status.textContent = `As ${role}: ${title}.`;
    const { perSecond, p99 } = await run(stores, SIZES.full);
    const row = document.createElement("tr");
    row.append(cell(title), cell(Math.round(perSecond).toLocaleString("en")), cell(p99?.toFixed(2) ?? ""));
    rows.append(row);
  }
  await close();
  await clear();
  status.textContent = `Done, as ${role}.`;
}

const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  measureAll(form, status, document.querySelector("tbody"))
    .catch((error) => (status.textContent = `It failed: ${error.message}`))
    .finally(() => (button.disabled = false));
});

const first = new URL(location.href).searchParams.get("first");
globalThis.bench = {
  open,
  close,
  clear,
  run: (name, size) => CASES[name].run(stores, SIZES[size]),
  titles: Object.fromEntries(Object.entries(CASES).map(([name, { title }]) => [name, title])),
  first: first === null ? undefined : firstQuery(first),
};
