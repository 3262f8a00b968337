import { contenders } from "../contenders/index.mjs";
import { median } from "./statistics.mjs";

/** What a goal asks for, in words, and whether a row meets it. */
function judge(goal, contenderName, value, ratio) {
  if (goal === undefined || ![goal.contender].flat().includes(contenderName)) return {};
  if (goal.timesPeer !== undefined) {
    return { goal: `>= ${goal.timesPeer}x its peer`, met: ratio === undefined ? undefined : ratio >= goal.timesPeer };
  }
  if (goal.atLeast !== undefined)
    return { goal: `>= ${goal.atLeast.toLocaleString("en")}`, met: value >= goal.atLeast };
  return { goal: `<= ${goal.atMost.toLocaleString("en")}`, met: value <= goal.atMost };
}

/** The median over rounds of what was measured here divided by what its peer measured in the same round. */
function ratioToPeer(runs, metricName, entry) {
  const own = runs.get(entry.name);
  const peer = runs.get(entry.peer);
  if (peer === undefined) return undefined;
  const ratios = own
    .map((run, round) => run[metricName]?.value / peer[round]?.[metricName]?.value)
    .filter((ratio) => Number.isFinite(ratio));
  return ratios.length === 0 ? undefined : median(ratios);
}

function medianOf(values) {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}

/** The table's rows of one case: one per metric and contender. */
export function rowsOf(benchCase, runs) {
  const rows = [];
  for (const [metricName, { title, unit, better, goal }] of Object.entries(benchCase.metrics)) {
    for (const entry of contenders.filter(({ name }) => runs.has(name))) {
      const results = runs
        .get(entry.name)
        .map((run) => run[metricName])
        .filter((result) => result !== undefined);
      if (results.length === 0) continue;
      const values = results.map(({ value }) => value);
      const middle = median(values);
      const ratio = ratioToPeer(runs, metricName, entry);
      rows.push({
        case: benchCase.name,
        metric: metricName,
        title,
        contender: entry.title,
        mode: entry.mode,
        median: middle,
        min: Math.min(...values),
        max: Math.max(...values),
        values,
        cpuUs: medianOf(results.map(({ cpuUs }) => cpuUs)),
        tail: results.map(({ p99 }) => p99).filter((tail) => tail !== undefined),
        unit,
        better,
        ratio,
        ...judge(goal, entry.name, middle, ratio),
      });
    }
  }
  return rows;
}
