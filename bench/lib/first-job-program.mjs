// A whole program for the case `first-job`: prints when its first handler had finished, in epoch milliseconds.
import { contenders } from "../contenders/index.mjs";

const [name, directory] = process.argv.slice(2);
const contender = await contenders.find((one) => one.name === name).load();
const workplace = await contender.openWorkplace(directory, {
  onDone: () => console.log(performance.timeOrigin + performance.now()),
});
await Promise.all([workplace.enqueue(1), workplace.start()]);
await workplace.stop();
await workplace.close();
