// One of several processes that share a store: node participant.mjs <role> <contender> <directory> <options as JSON>
// Says when it is open, then does what it is told, one message a call, until it is told `close`.
import { contenders } from "../contenders/index.mjs";
import { roles } from "./roles.mjs";

const [roleName, contenderName, directory, options] = process.argv.slice(2);
// Nobody is left to report to.
process.once("disconnect", () => process.exit());
const contender = await contenders.find(({ name }) => name === contenderName).load();
const methods = await roles[roleName](contender, directory, JSON.parse(options));

async function answer({ id, method, args }) {
  try {
    return { id, value: await methods[method](...args) };
  } catch (error) {
    return { id, error: error.stack };
  }
}

async function serve(message) {
  const reply = await answer(message);
  process.send(reply, () => message.method === "close" && process.disconnect());
}

process.on("message", (message) => void serve(message));
process.send({ id: 0 });
