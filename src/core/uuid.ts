const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const BATCH = 256;

/**
 * Makes UUID version 7 ids: sortable by the millisecond they were made in, and strictly increasing within one source
 * (RFC 9562 method 1: twelve counter bits behind the timestamp).
 */
export function createUuidSource(now: () => number, fill: (into: Uint8Array<ArrayBuffer>) => void): () => string {
  const pool = new Uint8Array(BATCH * 8);
  let used = pool.length;
  let lastMs = -1;
  let counter = 0;
  return () => {
    if (used === pool.length) {
      fill(pool);
      used = 0;
    }
    const at = used;
    used += 8;
    const ms = Math.max(Math.floor(now()), lastMs);
    if (ms === lastMs) counter += 1;
    else counter = ((pool[at] ?? 0) << 3) & 0x7ff;
    // A full counter borrows the next millisecond, so that order holds.
    lastMs = counter > 0xfff ? ms + 1 : ms;
    if (counter > 0xfff) counter = 0;
    return format(lastMs, counter, pool, at);
  };
}

function format(ms: number, counter: number, random: Uint8Array, at: number): string {
  const time = ms.toString(16).padStart(12, "0");
  const high = (0x7000 | counter).toString(16);
  const byte = (offset: number): string => HEX[random[at + offset] ?? 0] ?? "00";
  const variant = HEX[((random[at] ?? 0) & 0x3f) | 0x80] ?? "80";
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-${high}-${variant}${byte(1)}-` +
    `${byte(2)}${byte(3)}${byte(4)}${byte(5)}${byte(6)}${byte(7)}`
  );
}
