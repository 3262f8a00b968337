// Runs examples by hand, on real files: `node dist/playground/run-example.js 01 06`; without numbers, all of them.
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Example } from "./examples/example.ts";

const wanted = process.argv.slice(2);
const folder = join(import.meta.dirname, "examples");
const names = readdirSync(folder).filter((name) => /^\d\d-.*\.js$/.test(name));
const chosen = names.filter((name) => wanted.length === 0 || wanted.includes(name.slice(0, 2)));
if (chosen.length === 0) throw new Error(`No such example; there are ${names.join(", ")}.`);

for (const name of chosen) {
  const files = mkdtempSync(join(tmpdir(), "stem-example-"));
  console.log(`== ${name.replace(/\.js$/, "")}, files in ${files}`);
  const { run } = (await import(join(folder, name))) as Example;
  await run({ file: (file) => join(files, file), log: (value) => console.log(value) });
}
