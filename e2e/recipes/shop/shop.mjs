// A shop that charges cards in the background: a program of somebody who uses the package.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";

const charge = defineTask(
  "card.charge",
  async (_context, { amount }) => {
    if (amount > 100) throw new RangeError("over the limit");
    return `charged ${String(amount)}`;
  },
  { maxRetries: 1, retryPolicy: { defaultDelay: 20 } },
);

const broker = await SqliteBroker.open("shop.sqlite");
const backend = await SqliteResultBackend.open("shop.sqlite");
const stem = new Stem({ broker, backend, tasks: [charge] });
await new Worker({ broker, backend, tasks: [charge] }).start();

async function order(amount) {
  const id = await charge.enqueue(stem, { amount });
  const line = document.createElement("li");
  line.dataset.task = id;
  line.textContent = "is being charged";
  document.querySelector("ul").append(line);
  line.textContent = (await stem.waitForTask(id)).valueOr("was refused");
}

document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void order(event.target.elements.amount.valueAsNumber);
});

// The one thing a page has to do for its tests; bundlers put it into a file of its own, which nobody else loads.
if (globalThis.isUnderTest) {
  const { exposeQueue } = await import("stem-sqlite/testing");
  exposeQueue({ stem, broker, backend });
}
