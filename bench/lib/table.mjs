const COLUMNS = [
  "what",
  "who",
  "durability",
  "median",
  "min - max",
  "unit",
  "p99",
  "CPU us/job",
  "to peer",
  "goal",
  "",
];
const RIGHT = new Set([3, 4, 6, 7, 8]);

function number(value) {
  if (value >= 1_000) return Math.round(value).toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function cells(row, previous) {
  const tail = row.tail[Math.floor(row.tail.length / 2)];
  return [
    row.title === previous?.title ? "" : row.title,
    row.contender,
    row.mode,
    number(row.median),
    row.values.length > 1 ? `${number(row.min)} - ${number(row.max)}` : "",
    row.unit,
    tail ?? "",
    row.cpuUs === undefined ? "" : number(row.cpuUs),
    row.ratio === undefined ? "" : `${row.ratio.toFixed(2)}x`,
    row.goal ?? "",
    row.met === undefined ? "" : row.met ? "met" : "NOT MET",
  ];
}

/** All rows as one Markdown table that also reads well in a terminal. */
export function formatTable(rows) {
  const lines = [COLUMNS, ...rows.map((row, index) => cells(row, rows[index - 1]))];
  const widths = COLUMNS.map((_, column) => Math.max(3, ...lines.map((line) => line[column].length)));
  const format = (line) =>
    `| ${line.map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (RIGHT.has(i) ? `${"-".repeat(width - 1)}:` : "-".repeat(width))).join(" | ")} |`;
  return [format(lines[0]), rule, ...lines.slice(1).map(format)].join("\n");
}
