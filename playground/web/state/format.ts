const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB"] as const;
const SHOWN_CHARACTERS = 160;

/** The end of an id: the part in which two of them differ. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(-8) : id;
}

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < BYTE_UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** A length of time, to the precision that is of interest. */
export function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function formatAge(ms: number): string {
  return ms < 1_000 ? "now" : `${formatMs(Math.floor(ms / 1_000) * 1_000).replace(".0 s", " s")} ago`;
}

export function formatTime(date: Date): string {
  return date.toLocaleTimeString(undefined, { hour12: false });
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** JSON, cut to what fits a row. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
