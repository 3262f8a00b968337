import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { contenders } from "../contenders/index.mjs";
import { runChild, withDirectory } from "./run-child.mjs";

/** Each round begins with another contender, so that nobody always runs first after the others. */
function rotate(list, by) {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** Fills one store per family; every run gets a copy of it. */
async function prepareStores(benchCase, names, directory, size) {
  const stores = new Map();
  for (const family of new Set(names.map((name) => contenders.find((one) => one.name === name).family))) {
    // Whoever does not wait for the disk fills it.
    const filler = contenders.findLast((one) => one.family === family && benchCase.contenders.includes(one.name));
    const store = join(directory, family);
    await mkdir(store);
    await runChild({ step: "prepare", caseName: benchCase.name, contenderName: filler.name, directory: store, size });
    stores.set(family, store);
  }
  return stores;
}

/**
 * Runs a case: `rounds` times each contender once, in a process of its own and on a
 * store of its own: an empty one, or a copy of what the case prepares. Returns one list of results per contender.
 */
export function runCase(benchCase, names, { rounds, size, root, onProgress }) {
  return withDirectory(root, async (prepared) => {
    const runs = new Map(names.map((name) => [name, []]));
    const stores = benchCase.prepare === undefined ? undefined : await prepareStores(benchCase, names, prepared, size);
    for (let round = 0; round < rounds; round += 1) {
      for (const name of rotate(names, round)) {
        onProgress(`${benchCase.name}: round ${round + 1} of ${rounds}, ${name}`);
        const run = (directory) =>
          runChild({ step: "run", caseName: benchCase.name, contenderName: name, directory, size });
        const store = stores?.get(contenders.find((one) => one.name === name).family);
        const result = await withDirectory(root, async (directory) => {
          if (store !== undefined) await cp(store, directory, { recursive: true });
          return run(directory);
        });
        runs.get(name).push(result);
      }
    }
    return runs;
  });
}
