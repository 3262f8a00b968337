import { mkdir, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const TOP = 25;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PRELOAD = fileURLToPath(new URL("./profile-thread.cjs", import.meta.url));

/** The environment of a child process that writes one CPU profile per thread into `directory`. */
export async function profileEnvironment(directory) {
  await mkdir(directory, { recursive: true });
  return { NODE_OPTIONS: `--require "${PRELOAD.replaceAll("\\", "\\\\")}"`, BENCH_PROFILES: directory };
}

function nameOf({ functionName, url, lineNumber }) {
  if (url.startsWith("wasm:")) return `${functionName || "(wasm)"} [sqlite3.wasm]`;
  const place = url === "" ? "" : ` ${url.replace("file://", "").replace(ROOT, "")}:${lineNumber + 1}`;
  return `${functionName || "(anonymous)"}${place}`;
}

/** Self time per function in milliseconds, idle time apart. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map((node) => [node.id, nameOf(node.callFrame)]));
  const times = new Map();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id);
    times.set(name, (times.get(name) ?? 0) + timeDeltas[index] / 1_000);
  }
  const idle = times.get("(idle)") ?? 0;
  times.delete("(idle)");
  return { times: [...times].toSorted((a, b) => b[1] - a[1]), idle };
}

/** The functions of one profile that took the most time themselves. */
export function summarise(profile, title) {
  const { times, idle } = selfTimes(profile);
  const busy = times.reduce((sum, [, ms]) => sum + ms, 0);
  const engine = times.filter(([name]) => name.endsWith("[sqlite3.wasm]")).reduce((sum, [, ms]) => sum + ms, 0);
  const share = (ms) => `${((ms / busy) * 100).toFixed(1).padStart(5)} %`;
  return [
    `${title}: busy ${busy.toFixed(0)} ms, idle ${idle.toFixed(0)} ms, inside sqlite3.wasm ${share(engine).trim()}`,
    ...times.slice(0, TOP).map(([name, ms]) => `  ${share(ms)} ${ms.toFixed(0).padStart(7)} ms  ${name}`),
  ].join("\n");
}

/** A summary of every profile in `directory`. */
export async function summariseAll(directory) {
  const files = (await readdir(directory)).toSorted().toReversed();
  const parts = [];
  for (const file of files) {
    const profile = JSON.parse(await readFile(join(directory, file), "utf8"));
    parts.push(summarise(profile, `thread ${basename(file, ".cpuprofile")}`));
  }
  return parts.join("\n\n");
}
