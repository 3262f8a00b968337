// The process that runs one case for one contender and nothing else:
// node child.mjs <run|prepare> <case> <contender> <directory> <full|quick>
import { cases } from "../cases/index.mjs";
import { contenders } from "../contenders/index.mjs";

const [step, caseName, contenderName, directory, size] = process.argv.slice(2);
const benchCase = cases.find(({ name }) => name === caseName);
const entry = contenders.find(({ name }) => name === contenderName);
const result = await benchCase[step](await entry.load(), directory, benchCase.sizes[size], entry);
process.send(result ?? {}, () => process.disconnect());
